"""The office: decides who may call, which assistant answers, and what is remembered."""
