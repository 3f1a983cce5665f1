"""The JSON API: what scripts and people ask for beside metrics. It answers from the store alone, and says how old that is."""
