"""Git itself: starting it, the local copies, fetch, push and objects. No forge, no course."""
