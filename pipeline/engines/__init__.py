"""Floor 3: adapters to models, strangers to one another. `registry` finds them by kind; `child` gives one a process."""
