"""What the API answers: every field with its meaning and unit, as it stands in the OpenAPI document.

Fields without a word on their origin come from the Jobs API, and are named as there. Instants are ISO 8601 in UTC, spans
are seconds, ids are strings.
"""
