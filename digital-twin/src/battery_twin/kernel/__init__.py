"""Extended Kalman filter of one block: states, parameters and equations; `ekf` computes them.

The terms and symbols are those of Bar-Shalom, Li and Kirubarajan (2001) and of Plett (2015). Current is positive while
charging. ``n`` blocks, ``m`` rows of a run, ``s`` parameter sets.

State x (7,), with covariance P (7, 7)::

    index  symbol  unit  meaning
    SOC    z       1     state of charge, charge held over present capacity
    V1     v1      V     voltage of the fast polarisation branch
    V2     v2      V     voltage of the slow polarisation branch
    ERROR  e       V     slow voltage error: hysteresis and diffusion over hours, which the circuit lacks
    BIAS   b       A     bias of the current sensor
    LOG_Q  q       1     logarithm of capacity over the capacity of the parameter set
    LOG_R  r       1     logarithm of resistance over the resistance of the parameter set

Parameters (45,), one row per parameter set::

    index                 symbol    unit  meaning
    OCV:R0                OCV(z)    V     open-circuit voltage at OCV_KNOTS (13,)
    R0:R1                 R0(z)     ohm   ohmic resistance at RESISTANCE_KNOTS (7,)
    R1:R2                 R1(z)     ohm   resistance of the fast branch at RESISTANCE_KNOTS (7,)
    R2:CAPACITY_AH        R2(z)     ohm   resistance of the slow branch at RESISTANCE_KNOTS (7,)
    CAPACITY_AH           Q         Ah    capacity of the parameter set at 25 degC
    RATED_AH              C10       Ah    rated capacity
    TAU1_S, TAU2_S        t1, t2    s     time constants of the branches
    KNEE_A                I_knee    A     current above which the slow branch saturates
    SLOW_SCALE_A          I_slow    A     I_ref / asinh(I_ref / I_knee), I_ref a tenth of the rated capacity per hour
    ERROR_SD_V            s_e       V     stationary deviation of the voltage error
    POLARISATION_SHARE    p         1     relative error of the slow polarisation voltage
    EMPTY_SOC             z_e       1     state of charge below which the open-circuit curve is unreliable
    NOISE_V2              R         V2    measurement noise: sensor and residuals of the fit
    RESISTANCE_PRIOR_VAR  s_r^2     1     prior variance of r, and its upper bound

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

Outputs, one row (10,) per reading::

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

Memory (16,), what is carried from reading to reading beside x and P::

    index                        unit     meaning
    PREVIOUS_V, _A, _C           V A degC previous reading
    DRAWN_AH                     Ah       charge drawn since the last charge or float
    UNINFORMATIVE                0/1      the last voltage was uninformative
    FLOATED_S                    s        time on float without interruption
    SETTLED_LOG_Q, SETTLED_VAR   1        capacity by discharges that are over, and its variance
    HAS_EVIDENCE                 0/1      at least one of them was deep enough to count
    EVIDENCE_AGE_S, _DEPTH       s, 1     age and depth of the latest of them
    SINCE_DISCHARGE_S            s        time since the last discharge current
    RESISTANCE_MOHM, _VAR        mohm     filtered ohmic reading at 25 degC, and its variance (mohm2)
    RESISTANCE_AGE_S             s        age of the latest ohmic reading
    PRIOR_LOG_Q                  1        capacity prior of the previous reading

Prediction, with i = I - b (the mean of both ends over gaps longer than LONG_GAP_S), a_k = exp(-dt / t_k), k = 1, 2,
a_e = exp(-dt / ERROR_TAU_S), a_b = exp(-dt / BIAS_TAU_S), D_k = (1 - a_k) R_k(z) exp(r)::

    i_gas = GAS_A_PER_AH C10 exp(GAS_PER_V (V / 6 - GAS_CELL_V) + GAS_PER_C (T - 25)), at most i, while charging
    i_2   = I_slow asinh(i / I_knee)
    z-  = z + (i - i_gas) dt / (3600 Q exp(q))
    v1- = a_1 v1 + D_1 i
    v2- = a_2 v2 + D_2 i_2
    e-  = a_e e            (e- = e while the voltage is uninformative)
    b-  = a_b b
    q-  = q
    r-  = r
    P-  = F P F' + Q_noise

Jacobian F = dx-/dx, the entries that are neither 0 nor the factors above, with dz = z- - z::

    dz-/db = -dt / (3600 Q exp(q))           dz-/dq = -dz
    dv1-/dz = D_1 R_1'(z) / R_1(z) i         dv1-/db = -D_1                dv1-/dr = D_1 i
    dv2-/dz = D_2 R_2'(z) / R_2(z) i_2       dv2-/db = -D_2 di_2/di        dv2-/dr = D_2 i_2

Innovation, with R_T = R0(z) exp(r + R0_PER_C (T - 25)) and h = dV-/dx::

    V- = OCV(z) + OCV_V_PER_C (T - 25) + R_T i + v1 + v2 + e
    h  = [OCV'(z) + R_T R0'(z) / R0(z) i, 1, 1, 1, -R_T, 0, R_T i]
    y  = V - V-
    S  = h' P h + R        (S is raised to y^2 / OUTLIER_NIS when y^2 / S exceeds OUTLIER_NIS)

Kalman gain and Joseph update, with the cross-covariance c = P h::

    K  = c / S
    x+ = x- + K y
    P+ = P- - K c' - c K' + S K K'

Observability: on charge, on float and in the first SURFACE_SHARE of the rated capacity drawn afterwards, voltage
depends on surface charge that the circuit does not describe. There the voltage error alone follows the innovation, with
a wide variance, and no other state is updated.
"""
