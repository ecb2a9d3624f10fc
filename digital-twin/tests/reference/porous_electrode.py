"""VRLA blocks as porous electrodes: PyBaMM's `lead_acid.Full` with the designs and faults of `blocks`.

The physics is that of Sulzer et al. (J. Electrochem. Soc. 166 (2019) A2363): acid transport, porosity and kinetics
resolved across the plates, lumped temperature, oxygen evolution. Three things are added to it, because a block on
standby shows them and the published parameters do not:

- above full charge the potential of the positive plate climbs, since no sulfate is left to charge. Without that a
  charge never ends; with it a block tapers, floats at tens of milliamperes and carries a surface charge afterwards;
- kinetics, oxygen evolution and transport follow temperature (Arrhenius);
- a contact resistance, for straps and corroded grids.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pybamm

CELLS = 6
FLOAT_V, BOOST_V = 13.62, 14.4
FLOAT_CELL_V, BOOST_CELL_V = FLOAT_V / CELLS, BOOST_V / CELLS
REFERENCE_K = 298.15
_GAS_J_PER_MOL_K = 8.314
_KINETICS_J_PER_MOL, _OXYGEN_J_PER_MOL, _TRANSPORT_J_PER_MOL = 35e3, 60e3, 16e3
# The published cell: 17 Ah from eight plate pairs.
_PUBLISHED_AH, _PUBLISHED_PAIRS = 17.0, 8.0
_MESH_POINTS = 14
_TOLERANCE = 1e-5

Function = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Design:
    """What distinguishes one block from another.

    Parameters
    ----------
    rated_ah
        Nameplate capacity at the 10 h rate.
    plates
        Number of plate pairs as a multiple of the published cell's, scaled to ``rated_ah``.
    acid_mol_per_m3
        Acid concentration when full.
    contact_ohm
        Resistance of grids, straps and posts of the whole block.
    positive_porosity, negative_porosity, separator_porosity
        Pore volume when full; less holds less acid.
    tortuosity
        Bruggeman exponent of all pores; a larger one slows diffusion.
    diffusivity
        Factor of the acid's diffusivity and conductivity.
    active_area
        Factor of the reacting surface of both plates.
    kinetics
        Factor of the exchange-current densities.
    gassing
        Factor of the oxygen evolution; sets the float current.
    """

    rated_ah: float = 120.0
    plates: float = 1.0
    acid_mol_per_m3: float = 5300.0
    contact_ohm: float = 0.0012
    positive_porosity: float = 0.57
    negative_porosity: float = 0.53
    separator_porosity: float = 0.92
    tortuosity: float = 1.5
    diffusivity: float = 0.5
    active_area: float = 1.0
    kinetics: float = 1.0
    gassing: float = 4e-7


class Step(NamedTuple):
    """One step of a profile.

    ``hours`` limits it. A positive ``c_rate`` charges until ``until_v``, a negative one discharges until ``until_v``;
    None holds the block at ``until_v``. ``every_s`` is the interval of the recorded rows, 0 for a step that is not
    recorded.
    """

    hours: float
    c_rate: float | None = 0.0
    until_v: float | None = None
    every_s: float = 60.0


class Recording(NamedTuple):
    """Rows (m,) of a block: current positive while charging, charge stored since the first row counted in acid."""

    time_s: np.ndarray
    current_a: np.ndarray
    voltage_v: np.ndarray
    temperature_c: np.ndarray
    acid: np.ndarray


def simulate(design: Design, steps: Sequence[Step], ambient_c: float) -> Recording:
    """Run a profile from a block that has floated for a day; raises RuntimeError when a step cannot be solved."""
    formed = (Step(24.0, None, FLOAT_V, every_s=0.0), *steps)
    experiment = pybamm.Experiment([tuple(_step_of(step, design.rated_ah) for step in formed)])
    model = pybamm.lead_acid.Full({"hydrolysis": "true", "thermal": "lumped"})
    model.variables["Acid"] = pybamm.x_average(model.variables["Porosity times concentration [mol.m-3]"])
    variables = pybamm.standard_spatial_vars
    simulation = pybamm.Simulation(
        model,
        parameter_values=parameters_of(design, ambient_c),
        experiment=experiment,
        solver=pybamm.IDAKLUSolver(rtol=_TOLERANCE, atol=_TOLERANCE),
        var_pts={variables.x_n: _MESH_POINTS, variables.x_s: _MESH_POINTS, variables.x_p: _MESH_POINTS},
    )
    solution = simulation.solve()
    solved = [] if solution is None else solution.cycles[0].steps
    if len(solved) != len(formed):
        raise RuntimeError(f"step {len(solved)} of {len(formed)} could not be solved: {formed[len(solved)]}")
    return _recorded(solved[1:], formed[1:])


def parameters_of(design: Design, ambient_c: float) -> pybamm.ParameterValues:
    """Return PyBaMM's parameters of a design in a room."""
    values = pybamm.ParameterValues("Sulzer2019")
    full_molality = _molality(design.acid_mol_per_m3)

    def at_temperature(name: str, factor: float, activation_j_per_mol: float) -> Function:
        base = values[name]
        return lambda c_e, kelvin: factor * base(c_e, kelvin) * _arrhenius(kelvin, activation_j_per_mol)

    ambient_k = ambient_c + 273.15
    transport = design.diffusivity * float(
        np.exp(_TRANSPORT_J_PER_MOL / _GAS_J_PER_MOL_K * (1 / REFERENCE_K - 1 / ambient_k))
    )
    diffusivity, conductivity = values["Electrolyte diffusivity [m2.s-1]"], values["Electrolyte conductivity [S.m-1]"]
    positive_ocp = values["Positive electrode open-circuit potential [V]"]
    pairs = _PUBLISHED_PAIRS * design.rated_ah / _PUBLISHED_AH * design.plates
    values.update(
        {
            "Number of electrodes connected in parallel to make a cell": pairs,
            "Nominal cell capacity [A.h]": design.rated_ah,
            "Lower voltage cut-off [V]": 1.0,
            "Upper voltage cut-off [V]": 3.2,
            "Initial concentration in electrolyte [mol.m-3]": design.acid_mol_per_m3,
            "Maximum porosity of positive electrode": design.positive_porosity,
            "Maximum porosity of negative electrode": design.negative_porosity,
            "Maximum porosity of separator": design.separator_porosity,
            "Ambient temperature [K]": ambient_k,
            "Initial temperature [K]": ambient_k,
            "Reference temperature [K]": REFERENCE_K,
            "Electrolyte diffusivity [m2.s-1]": lambda c_e: transport * diffusivity(c_e),
            "Electrolyte conductivity [S.m-1]": lambda c_e: transport * conductivity(c_e),
            "Positive electrode open-circuit potential [V]": lambda m: (
                positive_ocp(m) + _overcharge_v(m, full_molality)
            ),
            "Positive electrode oxygen exchange-current density [A.m-2]": at_temperature(
                "Positive electrode oxygen exchange-current density [A.m-2]", design.gassing, _OXYGEN_J_PER_MOL
            ),
        }
    )
    for plate in ("Positive", "Negative"):
        current = f"{plate} electrode exchange-current density [A.m-2]"
        area = f"{plate} electrode surface area to volume ratio [m-1]"
        updates = {
            current: at_temperature(current, design.kinetics, _KINETICS_J_PER_MOL),
            area: design.active_area * values[area],
        }
        updates[f"{plate} electrode Bruggeman coefficient (electrolyte)"] = design.tortuosity
        values.update(updates)
    values.update({"Separator Bruggeman coefficient (electrolyte)": design.tortuosity})
    # Contact resistance is that of one cell.
    values.update({"Contact resistance [Ohm]": design.contact_ohm / CELLS})
    return values


def _step_of(step: Step, rated_ah: float) -> Any:
    period, duration = step.every_s or 1800.0, step.hours * 3600.0
    if step.c_rate is None:
        assert step.until_v is not None
        return pybamm.step.voltage(step.until_v / CELLS, duration=duration, period=period)
    if step.c_rate == 0.0:
        return pybamm.step.rest(duration=duration, period=period)
    limit = [] if step.until_v is None else [f"{step.until_v} V"]
    # PyBaMM counts the discharge current positive.
    return pybamm.step.current(-step.c_rate * rated_ah, duration=duration, period=period, termination=limit)


def _recorded(solved: Sequence[Any], steps: Sequence[Step]) -> Recording:
    parts = []
    for solution, step in zip(solved, steps, strict=True):
        if step.every_s == 0.0:
            continue
        columns = [
            solution.t,
            -solution["Current [A]"].entries,
            solution["Battery voltage [V]"].entries,
            solution["X-averaged cell temperature [C]"].entries,
            solution["Acid"].entries,
        ]
        parts.append(np.array(columns))
    rows = np.concatenate(parts, axis=1)
    # A step begins at the instant at which the one before ends: that row shows the end of the one before.
    rows = rows[:, np.concatenate([[True], np.diff(rows[0]) > 1.0])]
    return Recording(rows[0] - rows[0, 0], *rows[1:])


def _molality(acid_mol_per_m3: float) -> float:
    """Return moles of acid per kilogram of water, with PyBaMM's partial molar volumes."""
    return acid_mol_per_m3 * 1.75e-5 / ((1 - acid_mol_per_m3 * 4.5e-5) * 0.01801)


def _overcharge_v(molality: Any, full_molality: float) -> Any:
    """Return the climb of the positive plate's potential above full: 0.12 V per cell within 2 % of the acid."""
    width = 0.012 * full_molality
    return 0.12 / (0.02 * full_molality) * width * pybamm.log(1 + pybamm.exp((molality - 1.01 * full_molality) / width))


def _arrhenius(temperature_k: Any, activation_j_per_mol: float) -> Any:
    return pybamm.exp(activation_j_per_mol / _GAS_J_PER_MOL_K * (1 / REFERENCE_K - 1 / temperature_k))
