"""The columns in which a row tells of eyes, and of the people they belong to. Loads nothing."""

COLUMNS = {
    "people": "int32",  # whose eyes are seen; these facts are null where no eyes are sought
    "eyes": "int32",  # of the nearest person; 0 where none is found, and then the next are null
    "eye_radius": "float64",  # of the larger iris, as a share of the picture's width
    "skin_tone": "float64",  # individual typology angle in degrees, -90 (dark) to 90 (light)
    "light": "float64",  # binary logarithm of red / blue in the white of the eye
    "glasses": "float64",  # natural logarithm by which an edge across the nose stands out; null of one eye
}

FOUND = "eyes"
"""The column that counts what was sought."""
