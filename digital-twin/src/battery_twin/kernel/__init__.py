"""Extended Kalman filter of one block: states, parameters and equations; `ekf` computes them.

The terms and symbols are those of Bar-Shalom, Li and Kirubarajan (2001) and of Plett (2015). Current is positive while
charging. ``n`` blocks, ``m`` rows of a run, ``s`` parameter sets.

State x (11,), with covariance P (11, 11)::

    index      symbol  unit  meaning
    SOC        z       1     state of charge, charge held over present capacity
    V1         v1      V     voltage of the fast polarisation branch
    V2         v2      V     voltage of the slow polarisation branch
    DEPLETION  d       1     charge at the plates less the charge on average; negative while discharging
    ERROR      e       V     slow voltage error: hysteresis and what else the circuit lacks
    BIAS       b       A     bias of the current sensor
    LOG_Q      q       1     logarithm of capacity over the capacity of the parameter set
    LOG_R      r       1     logarithm of ohmic resistance over that of the parameter set
    LOG_P      p       1     logarithm of the polarisation resistances over those of the parameter set
    LOG_K      k       1     logarithm of the depletion by a current over that of the parameter set
    ACID       f       1     strength of the acid relative to the parameter set's: below 0 sulfated, above dried out

Parameters (51,), one row per parameter set::

    index                   symbol    unit  meaning
    OCV:R0                  OCV(z)    V     open-circuit voltage at OCV_KNOTS (13,)
    R0:R1                   R0(z)     ohm   ohmic resistance at RESISTANCE_KNOTS (7,)
    R1:R2                   R1(z)     ohm   resistance of the fast branch at RESISTANCE_KNOTS (7,)
    R2:CAPACITY_AH          R2(z)     ohm   resistance of the slow branch at RESISTANCE_KNOTS (7,)
    CAPACITY_AH             Q         Ah    capacity of the parameter set at 25 degC
    RATED_AH                C10       Ah    rated capacity
    TAU1_S, TAU2_S, TAU_D_S t1 t2 td  s     time constants of the branches and of the depletion
    KNEE_A                  I_knee    A     current above which the slow branch saturates
    SLOW_SCALE_A            I_slow    A     I_ref / asinh(I_ref / I_knee), I_ref a tenth of the rated capacity per hour
    DEPLETION_H             K         h     depletion by a lasting current of one capacity per hour
    ERROR_SD_V              s_e       V     stationary deviation of the voltage error
    POLARISATION_SHARE      p_e       1     relative error of the slow polarisation voltage
    EMPTY_SOC               z_e       1     charge at the plates below which the open-circuit curve is unreliable
    NOISE_V2                R         V2    measurement noise: sensor and residuals of the fit
    RESISTANCE_PRIOR_VAR    s_r^2     1     prior variance of r, and its upper bound
    POLARISATION_PRIOR_VAR  s_p^2     1     the same of p
    DEPLETION_PRIOR_VAR     s_k^2     1     the same of k
    ACID_PRIOR_VAR          s_f^2     1     the same of f
    SET_UNUSABLE_SOC        z_u0      1     `unusable_soc` of the parameter set itself

Inputs, one row (10,) per reading::

    index              symbol  unit  meaning
    IN_NEW                     0/1   first reading of the block: no prediction
    IN_MODE_IS_FLOAT           0/1   the string is on float, and the reading does not contradict it
    IN_DT_S            dt      s     time since the previous reading; ignored for a new block
    IN_VOLTAGE_V       V       V     terminal voltage
    IN_CURRENT_A       I       A     current by the Hall sensor; may be NaN on float
    IN_FLOAT_A         I_f     A     float current by its own probe, or what is usual
    IN_TEMPERATURE_C   T       degC  case temperature
    IN_RESISTANCE_MOHM R_m     mohm  ohmic reading of the monitor; NaN for none
    IN_PRIOR_LOG_Q     q_0     1     mean of the capacity prior at the block's age
    IN_PRIOR_VAR               1     its variance

Outputs, one row (14,) per reading::

    index              symbol  unit  meaning
    OUT_SOC            z       1     state of charge after the update
    OUT_SOC_VAR                1     its variance
    OUT_LOG_Q          q       1     capacity: of the running discharge if deep enough, else of those before it
    OUT_LOG_Q_VAR              1     its variance
    OUT_DISCHARGED             0/1   a discharge contributed to the capacity
    OUT_PREDICTED_V    V-      V     predicted voltage
    OUT_INNOVATION_V   y       V     innovation
    OUT_INNOVATION_SD_V        V     square root of its variance S
    OUT_INFORMATIVE            0/1   the voltage was observable: the whole state was updated
    OUT_SLOW_V         v2      V     slow polarisation voltage after the update
    OUT_GRADE                  0-3   what capacity rests on: nothing, FROM_PART, FROM_FULL, MEASURED
    OUT_MISFIT                 0/1   the readings are not those of the block that the circuit describes
    OUT_UNUSABLE       z_u     1     charge left when a 10 h discharge ends, beyond that of the parameter set
    OUT_UNUSABLE_VAR           1     its variance

Memory (24,), what is carried from reading to reading beside x and P::

    index                        unit     meaning
    PREVIOUS_V, _A, _C           V A degC previous reading
    DRAWN_AH                     Ah       charge drawn since the last charge or float
    UNINFORMATIVE                0/1      the last voltage was uninformative
    FLOATED_S                    s        time on float without interruption
    SETTLED_LOG_Q, SETTLED_VAR   1        capacity by discharges that are over, and its variance
    SETTLED_GRADE                0-3      the best grade of evidence among them
    HAS_EVIDENCE                 0/1      at least one of them was deep enough to count
    EVIDENCE_AGE_S, _DEPTH       s, 1     age and depth of the latest of them
    SINCE_DISCHARGE_S            s        time since the last discharge current
    RESISTANCE_MOHM, _VAR        mohm     filtered ohmic reading at 25 degC, and its variance (mohm2)
    RESISTANCE_AGE_S             s        age of the latest ohmic reading
    PRIOR_LOG_Q                  1        capacity prior of the previous reading
    NIS_MEAN                     1        squared innovations over their stated variance, averaged over NIS_TAU_S
    AT_CUT_OFF                   0-2      the running discharge reached FAST_CUT_OFF or SLOW_CUT_OFF
    BEGAN_FULL                   0/1      the running discharge began with a block known to be full
    UNUSABLE_SOC, UNUSABLE_VAR   1        z_u by the running discharge, and its variance
    SETTLED_UNUSABLE, _VAR       1        the same by discharges that are over

Prediction, with i = (I + I_previous) / 2 - b and i_1 = I - b, a_k = exp(-dt / t_k) for k = 1, 2, d,
a_e = exp(-dt / ERROR_TAU_S), a_b = exp(-dt / BIAS_TAU_S), s = z + d, D_k = (1 - a_k) R_k(s) exp(p)::

    i_gas = GAS_A_PER_AH C10 exp(GAS_PER_V (V_previous / 6 - GAS_CELL_V) + GAS_PER_C (T - 25)), at most i, while
            charging; the exponent is at most MAX_GAS_EXPONENT
    i_2   = I_slow asinh(i / I_knee)
    D_d   = (1 - a_d) K exp(k - q) / Q
    z-  = z + (i - i_gas) dt / (3600 Q exp(q))
    v1- = a_1 v1 + D_1 i_1
    v2- = a_2 v2 + D_2 i_2
    d-  = a_d d + D_d i
    e-  = a_e e            (e- = e while the voltage is uninformative)
    b-  = a_b b
    q-, r-, p-, k-, f- as before
    P-  = F P F' + Q_noise

Jacobian F = dx-/dx, the entries that are neither 0 nor the factors above, with dz = z- - z, and s standing for both z
and d::

    dz-/db = -dt / (3600 Q exp(q))           dz-/dq = -dz
    dv1-/ds = D_1 R_1'(s) / R_1(s) i_1       dv1-/db = -D_1                dv1-/dp = D_1 i_1
    dv2-/ds = D_2 R_2'(s) / R_2(s) i_2       dv2-/db = -D_2 di_2/di        dv2-/dp = D_2 i_2
    dd-/db = -D_d                            dd-/dq = -D_d i               dd-/dk = D_d i

Innovation, with s- = z- + d- and R_T = R0(s-) exp(r + R0_PER_C (T - 25))::

    V- = OCV(s- (1 + f)) + OCV_V_PER_C (T - 25) + R_T i_1 + v1 + v2 + e
    h  = dV-/dx: OCV'(s- (1 + f)) (1 + f) + R_T R0'(s-) / R0(s-) i_1 by z and by d, 1 by v1, v2 and e, -R_T by b,
         R_T i_1 by r, OCV'(s- (1 + f)) s- by f, 0 by q, p and k
    y  = V - V-
    S  = h' P h + R max(1, NIS_MEAN) + (EMPTY_ERROR_SD_V (z_e - s-) / EMPTY_SOC_SPAN)^2, the last below z_e alone
         (S is raised to y^2 / OUTLIER_NIS when y^2 / S exceeds OUTLIER_NIS)

Kalman gain and Joseph update, with the cross-covariance c = P h::

    K  = c / S
    x+ = x- + K y
    P+ = P- - K c' - c K' + S K K'

then z and q are projected onto what is physical, the correlated states with them.

Observability: on charge, on float and in the first SURFACE_SHARE of the rated capacity drawn afterwards, voltage
depends on surface charge that the circuit does not describe. There the voltage error alone follows the innovation, with
a wide variance, and no other state is updated.

Capacity is by definition what a block delivers at the 10 h rate down to its cut-off voltage. What resistance,
polarisation and slow diffusion leave in the plates then is neither charge nor capacity. With I_10 a tenth of the
rated capacity per hour, s_c is where OCV(s_c (1 + f)) - I_10 (R0(s_c) exp(r) + (R1(s_c) + R2(s_c)) exp(p)) reaches the
cut-off voltage, and ::

    z_u = s_c + K exp(k - q) I_10 / Q - z_u0

from the first deep row of a discharge on; its variance is that of r, p and k through the slope of the voltage there.
`filter.states` takes z_u off charge and capacity. A slow discharge that reaches its cut-off is an observation: z = z_u.

Misfit: NIS_MEAN of MISFIT_NIS or more, or a capacity at its bound, means a reversed, scaled or dead channel or another
block. Into NIS_MEAN go also a voltage above MAX_BLOCK_V, one above MAX_DISCHARGED_V in a discharge, one below the rest
voltage otherwise, and a voltage error above MAX_ERROR_V. The outputs then have the widths of ignorance, and no capacity
is kept; the noises R and of e grow with NIS_MEAN before that.
"""
