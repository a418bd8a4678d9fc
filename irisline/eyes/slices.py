"""The groups by which errors about eyes are counted, and their limits."""

from irisline.core.domain import Cut

CUTS = (
    # Two and two of the six classes of Del Bino and Bernerd 2013, Variations in skin colour and the biological consequences
    # of ultraviolet radiation exposure: brown and dark, tan and intermediate, light and very light.
    Cut("skin_tone", "skin tone", ("dark", "intermediate", "light"), (10.0, 41.0)),
    # Chosen on 300 drawn pictures: with them 82 % are told as they were drawn, and none as its opposite.
    Cut("light", "light", ("cold", "neutral", "warm"), (0.3, 1.1)),
    # Drawn faces have 0.034 to 0.048, bands with both eyes 0.054 to 0.075, close-ups 0.10 to 0.23.
    Cut("eye_radius", "framing", ("face", "both eyes", "one eye"), (0.05, 0.085)),
    # Of 275 drawn people, 96 % of those with glasses are above and 4 % of the others; of 50 photographs without any, none.
    Cut("glasses", "glasses", ("without", "with"), (0.5,)),
)
