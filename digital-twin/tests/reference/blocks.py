"""The blocks of the reference set: two battery models, one for each half, with new, aged and damaged specimens."""

from dataclasses import replace
from typing import Final, NamedTuple

from tests.reference.porous_electrode import Design

KINDS: Final = ("new", "aged", "corroded", "sulfated", "dried_out")


class Block(NamedTuple):
    """A specimen: its half, its kind and its design. The first of a half is the new block of its model."""

    name: str
    half: str
    kind: str
    design: Design


# A UPS block of thin plates, and a denser, slower one with stronger acid; nothing of the second is ever tuned on.
_DEVELOPMENT: Final = Design(rated_ah=120.0, plates=0.93, diffusivity=0.22, contact_ohm=0.0012)
_TEST: Final = Design(
    rated_ah=100.0,
    plates=0.90,
    acid_mol_per_m3=5500.0,
    diffusivity=0.28,
    tortuosity=1.8,
    contact_ohm=0.0010,
    positive_porosity=0.55,
    kinetics=0.8,
    gassing=7e-7,
)

BLOCKS: Final = (
    Block("dev_new", "development", "new", _DEVELOPMENT),
    Block(
        "dev_new_light",
        "development",
        "new",
        replace(_DEVELOPMENT, plates=0.885, contact_ohm=0.0014, acid_mol_per_m3=5340.0),
    ),
    Block(
        "dev_aged",
        "development",
        "aged",
        replace(_DEVELOPMENT, plates=0.80, contact_ohm=0.0022, active_area=0.8, kinetics=0.8),
    ),
    Block(
        "dev_aged_far",
        "development",
        "aged",
        replace(_DEVELOPMENT, plates=0.66, contact_ohm=0.0036, active_area=0.6, kinetics=0.7, tortuosity=1.7),
    ),
    Block("dev_corroded", "development", "corroded", replace(_DEVELOPMENT, plates=0.84, contact_ohm=0.0050)),
    Block("dev_corroded_far", "development", "corroded", replace(_DEVELOPMENT, plates=0.74, contact_ohm=0.0085)),
    Block(
        "dev_sulfated",
        "development",
        "sulfated",
        replace(_DEVELOPMENT, acid_mol_per_m3=4450.0, negative_porosity=0.49, active_area=0.7, gassing=6e-7),
    ),
    Block(
        "dev_dried",
        "development",
        "dried_out",
        replace(
            _DEVELOPMENT,
            separator_porosity=0.66,
            acid_mol_per_m3=5650.0,
            tortuosity=1.9,
            contact_ohm=0.0026,
            gassing=1.2e-6,
        ),
    ),
    Block("test_new", "test", "new", _TEST),
    Block("test_new_light", "test", "new", replace(_TEST, plates=0.865, contact_ohm=0.0012, acid_mol_per_m3=5440.0)),
    Block("test_aged", "test", "aged", replace(_TEST, plates=0.76, contact_ohm=0.0021, active_area=0.75, kinetics=0.6)),
    Block(
        "test_aged_far",
        "test",
        "aged",
        replace(_TEST, plates=0.62, contact_ohm=0.0030, active_area=0.6, kinetics=0.5, tortuosity=2.0),
    ),
    Block("test_corroded", "test", "corroded", replace(_TEST, plates=0.80, contact_ohm=0.0058)),
    Block("test_corroded_far", "test", "corroded", replace(_TEST, plates=0.68, contact_ohm=0.0078, tortuosity=1.9)),
    Block(
        "test_sulfated",
        "test",
        "sulfated",
        replace(_TEST, acid_mol_per_m3=4300.0, negative_porosity=0.47, active_area=0.6, kinetics=0.7, gassing=9e-7),
    ),
    Block(
        "test_dried",
        "test",
        "dried_out",
        replace(
            _TEST, separator_porosity=0.60, acid_mol_per_m3=5900.0, tortuosity=2.2, contact_ohm=0.0022, gassing=2e-6
        ),
    ),
)
