"""The same callers over WebRTC: they live in another process, and what they measure is what arrives there."""
