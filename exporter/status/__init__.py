"""The status page for people: what runs, what fails, what did not start, what it costs, and how old all of that is."""
