/** Texts of what an alert saw and what to do about it. They come with the pages of alerts, not with the program's first chunk. */
export const alertTexts = {
  why: {
    subject: {
      battery: "battery {{id}} ({{location}})",
      string: "string {{id}} ({{location}})",
      location: "data centre {{location}}",
    },
    sentence: {
      voltage_low: "{{subject}} fell to {{value}}, below the limit of {{threshold}}.",
      voltage_lost: "{{subject}} measured {{value}}: it is open, shorted or reversed, or a sense lead is loose.",
      voltage_high: "{{subject}} rose to {{value}}, above the limit of {{threshold}}.",
      shorted_cell: "{{subject}} was {{amount}} below its string: one of its cells is probably shorted.",
      voltage_spread: "{{subject}} differed by {{amount}} from its string; the limit is {{limit}}.",
      discharge_weak_block:
        "{{subject}} fell {{amount}} below its string during a discharge; the limit is {{limit}} below.",
      temperature_high: "{{subject}} reached {{value}}, above the limit of {{threshold}}.",
      temperature_danger: "{{subject}} reached {{value}}: thermal runaway or fire.",
      temperature_over_room: "{{subject}} was {{value}} warmer than the room; the limit is {{threshold}}.",
      temperature_over_string:
        "{{subject}} was {{value}} warmer than the median of its string; the limit is {{threshold}}.",
      thermal_runaway: "{{subject}} shows signs of thermal runaway: {{signs}}.",
      thermal_runaway_heat: "{{subject}} may be in thermal runaway: {{signs}}. The float current does not confirm it.",
      resistance_drift:
        "The resistance of {{subject}} was {{value}} above its own baseline at 25 °C; the limit is {{threshold}}.",
      resistance_over_nominal:
        "The resistance of {{subject}} was {{value}} above the nominal value of its model, limit {{threshold}}. It has no baseline of its own.",
      voltage_channel_lost: "{{subject}} sent no voltage for {{duration}}, while its other values arrived.",
      temperature_channel_lost: "{{subject}} sent no temperature for {{duration}}, while its other values arrived.",
      voltage_does_not_follow:
        "{{subject}} stayed {{amount}} above its string during a discharge: the measured voltage does not follow the load.",
      voltage_flat: "The voltage of {{subject}} did not move for {{duration}}, while that of its string did.",
      temperature_flat: "The temperature of {{subject}} did not move for {{duration}}, while that of its string did.",
      mode_contradicted: "{{subject}} reported a mode that contradicts its measured current. The current decides.",
      current_contradicted:
        "The current of {{subject}} contradicts the voltages of its batteries: its sign or its sensor is wrong.",
      string_voltage_off_sum:
        "The voltage of {{subject}} was {{value}} off the sum of its batteries, limit {{threshold}}. One of them is wrong.",
      float_current_off:
        "Float current and string current of {{subject}} differed by {{value}}, limit {{threshold}}. One of them is wrong.",
      float_current_high: "{{subject}} drew a float current of {{value}}, above the limit of {{threshold}}.",
      string_voltage_low:
        "{{subject}} measured {{value}} of its nominal voltage: the string is open, or the value is that of one battery.",
      charge_current_high: "{{subject}} was charged with {{value}}, above the limit of {{threshold}}.",
      discharge_current_high: "{{subject}} was discharged with {{value}}, above the limit of {{threshold}}.",
      mains_lost: "{{subject}} lost its mains supply.",
      mains_lost_long: "{{subject}} was without mains for more than {{hold}}.",
      grid_unstable: "{{subject}} lost its mains supply {{times}} times within 24 h.",
      hvac_degraded: "{{subject}} reported that its air conditioning is degraded.",
      hvac_failed: "{{subject}} reported that its air conditioning failed or is off.",
      room_hot: "The room of {{subject}} reached {{value}}, above the limit of {{threshold}}.",
      clock_behind: "{{subject}} received readings dated {{duration}} in the past, from {{string}}: a clock is slow.",
      clock_ahead: "{{subject}} received readings dated {{duration}} in the future, from {{string}}: a clock is fast.",
      rul_warning: "{{subject}} may reach its end of life in {{value}} (P10); the limit is {{threshold}}.",
      rul_critical: "{{subject}} may reach its end of life in {{value}} (P10); the limit is {{threshold}}.",
      rul_warning_conflict:
        "{{subject}} may reach its end of life in {{value}} (P10), limit {{threshold}}, but the two sources contradict each other: the model expects {{ml}}, the ageing law {{twin}} (P50).",
      rul_critical_conflict:
        "{{subject}} may reach its end of life in {{value}} (P10), limit {{threshold}}, but the two sources contradict each other: the model expects {{ml}}, the ageing law {{twin}} (P50).",
      rul_change:
        "The predicted remaining life of {{subject}} fell by {{value}} to {{median}} (P50); the limit is {{threshold}}.",
      rul_change_conflict:
        "The predicted remaining life of {{subject}} fell by {{value}}, limit {{threshold}}, but the two sources contradict each other: the model expects {{ml}}, the ageing law {{twin}} (P50).",
      soh_degraded: "The state of health of {{subject}} is {{value}}, below the limit of {{threshold}}.",
      soh_degraded_critical:
        "The state of health of {{subject}} is {{value}} at most, below the limit of {{threshold}}.",
      data_stale_battery: "{{subject}} sent no reading for {{duration}}.",
      data_stale_string: "None of the {{batteries}} batteries of {{subject}} sent a reading for {{duration}}.",
      data_stale_location: "None of the {{batteries}} batteries of {{subject}} sent a reading for {{duration}}.",
    },
    sign: {
      floatCurrent: "float current {{ratio}} times its usual value",
      overRoom: "{{value}} warmer than the room",
      rise: "rising by {{value}} per hour",
      unknown: "no figures were sent",
    },
    basis: "The figure comes {{source}}.",
    evidence: "Evidence: {{provenance}}.",
    active: "Since {{since}}, held for {{duration}}.",
    past: "From {{since}} to {{until}}, {{duration}}.",
    peak: "Worst {{value}}.",
    back_one: "Came back {{count}} time.",
    back_other: "Came back {{count}} times.",
    heading: {
      seen: "What was seen",
      limit: "Limit",
      peers: "Peers",
      todo: "What to do",
      chart: "Two hours before and after",
    },
    rule: "Rule: {{name}}, {{limit}}.",
    noRule: "No limit: it was reported as it is.",
    raisesAt: { above: "above {{value}}", below: "below {{value}}" },
    reported: "as reported",
    holdFor: "for {{duration}}",
    gate: {
      always: "at any time",
      float: "on float",
      steady_float: "on float, apart from ohmic tests",
      charging: "unless it discharges",
      discharge: "during a discharge",
    },
    clearsAt: "Clears at {{value}}.",
    changed: "The limit has changed since: it is now {{value}}.",
    off: "The rule is switched off now.",
    origin: {
      default: "This is the standard limit.",
      battery: "The limit is set for this battery.",
      string: "The limit is set for this string.",
      location: "The limit is set for this data centre.",
      model: "The limit is set for this battery model.",
    },
    peersDeviation_one: "It differs from them by {{count}} times their usual spread (robust standard deviation).",
    peersDeviation_other: "It differs from them by {{count}} times their usual spread (robust standard deviation).",
    peersNow:
      "Latest values: this battery {{own}}; median of the {{others}} others in its string {{median}} ({{low}} to {{high}}).",
    peersNone: "There are too few current values in its string to compare with.",
    noPeers: "This kind of alert is not compared with other batteries.",
    noChart: "There is no chart for this kind of alert.",
    chartLimit: "Limit {{value}}",
    chartClear: "Clears {{value}}",
    chartAlert: "The shaded span is the alert.",
    chartRelative: "The limit is relative to other values, so it is not drawn.",
    hazard: {
      live: "Safety: work in pairs with insulated tools and gloves, face shield, no metal jewellery. A string carries several hundred volts DC even with its breaker open.",
      away: "Danger: do not touch it and do not open the cabinet. It can burst, burn and give off hydrogen and acid.",
    },
    steps: {
      low: "Check whether the whole string is low: then check the charger, its breaker and its float voltage.\nIf it is this battery alone, measure it at its posts. If the meter disagrees, mend the sense lead.\nIf the meter agrees, isolate the string while the mains is on, then test or replace the battery.",
      weak: "Check that the generator runs or the mains is back: this string may reach its cut-off early.\nIf the discharge goes on, move or shed load.\nAfter the recharge, test the battery, and replace it before the next outage if it is weak.",
      lost: "From a distance, look for swelling, leaks, smoke and smell. If there are any, leave and ventilate.\nIsolate the string while the mains is on. Do not pull links: an open string has its full voltage across the gap.\nMeasure at the posts; replace the battery or mend the lead before you close the breaker.",
      high: "Check the charger: float voltage 2.25–2.30 V per cell, temperature compensation, no boost left on.\nIf it keeps rising, stop the charger and ventilate the room: overcharge gives off hydrogen.\nIf it is this battery alone, measure it at its posts and look for a low battery in the same string.",
      shorted:
        "Check its temperature and that of its string. If it is hot or rising, stop charging and keep away.\nIsolate the string while the mains is on; the other batteries are overcharged meanwhile.\nMeasure it at its posts, and replace the battery.",
      spread:
        "Check that the string is on float and its charger is steady.\nMeasure the battery at its posts, and check torque and corrosion of its links.\nCompare its resistance with its baseline; test its capacity if both are off.",
      warm: "Check the air conditioning, the airflow and the room temperature.\nIf one battery alone is hot, check its voltage and the float current, and its links for looseness.\nIf it keeps rising, stop charging, isolate the string and ventilate.",
      stopCharge:
        "Stop the charger, or open the string's breaker from outside the cabinet.\nVentilate the room; no flames, no sparks, no grinding.\nStay away until it has cooled to room temperature, then inspect it and have it replaced.",
      fire: "Leave the room, keep others out and call the fire brigade (199) at smoke or flames.\nStop charging from outside the room: charger, UPS panel or emergency power-off.\nVentilate from outside. Go back only when the fire brigade or the supplier says that it is safe.",
      runaway:
        "Stop charging at once from outside the room, then open the string's breaker if you can reach it safely.\nLeave the room, keep others out and ventilate: no sparks, no flames.\nAt smoke or flames call the fire brigade (199). Do not recharge the string before it is inspected.",
      resistance:
        "Measure it again with the same instrument, on float, with the string rested.\nCheck torque and corrosion of its links, then compare with its neighbours.\nIf it is confirmed, test the capacity; above 50 % replace the battery.",
      nominal:
        "Check that model and capacity are right in the register.\nMeasure it with a hand-held instrument, and compare it with its neighbours.\nIf it is confirmed, test the capacity; then record a baseline.",
      sensor:
        "Nothing watches this value meanwhile: measure it by hand and note it.\nCheck sense lead, fuse, connector and sensor; they carry battery voltage.\nReplace the lead or the monitor, and see the value return here.",
      stringSensor:
        "Compare with a clamp meter and a voltmeter at the string.\nCorrect sign, scale or assignment, or replace the sensor.\nUntil then do not rely on charge, runtime or discharges of this string.",
      floatCurrent:
        "Look at the temperatures of the string first: above 10 °C over the room, stop charging and keep away.\nCheck the charger's float voltage and its temperature compensation.\nLook for a low battery in the string: a shorted cell overcharges the others.",
      openString:
        "Check the breaker and the fuse of the string. Do not touch links: an open one has full string voltage across it.\nIf the breaker is closed, isolate the string and search for the open link or battery.\nIf all is well there, correct the assignment of the value in the sender.",
      charge:
        "Lower the current limit of the charger to 0.1–0.3 of the rated capacity.\nWatch the temperatures of the string; if they rise fast, stop the charger and ventilate.\nHave the charger checked before it is used again at full current.",
      load: "Check the load, and whether a parallel string is open: the others then carry its share.\nMove or shed load until the current is below the limit.\nAfter the recharge, check links and breaker for heat marks.",
      short:
        "Keep away from string and cables: arc flash.\nCheck from outside whether breaker or fuse has cleared it; if not, open the breaker remotely.\nDo not close it again before the cause is found.",
      mains:
        "Check that the generator has started and carries the load.\nLook at the runtime of the strings on the page of the data centre; shed load in time.\nCall the utility (MEA or PEA) for the cause and the expected return.",
      grid: "Ask the utility (MEA or PEA) for the cause and the expected end.\nCheck that generator and transfer switch are ready, with fuel for the night.\nCheck that the strings recharge between the losses; put off tests.",
      cooling:
        "Check the air conditioners: power, alarms, filters. Start the standby unit.\nKeep air moving in the battery room: fans, open doors under guard.\nCall the contractor; if batteries pass 40 °C, reduce or stop charging.",
      plan: "Open the battery's page and read reasons and evidence.\nTest the capacity if the latest evidence is old.\nOrder in time: 2–4 weeks from local stock, 8–16 weeks by import.",
      replace:
        "Do not rely on this string in the next outage: plan with less runtime.\nTest the capacity now, or replace the battery.\nReplace by the same model with a near date code; many weak ones call for a new string.",
      settle:
        "Do not order on this figure alone.\nMake the cheapest test that settles it; the battery's page names it.\nLook again after the next prediction.",
      cause:
        "Look at temperature, discharges and resistance of the last weeks on the battery's page.\nMend what ages it: cooling, charger voltage, loose links.\nTest the capacity if no cause is found.",
      staleBattery:
        "The battery is not watched: measure voltage and temperature by hand.\nCheck the monitor of the battery: supply, connector, address.\nReplace the monitor if it stays silent.",
      staleGroup:
        "Nothing is watched there: send somebody to look at, smell and measure the batteries.\nCheck gateway, network and supply of the monitors.\nSee the readings return here; delayed ones are filed under their own time.",
      clock:
        "Set the clock of the sender by network time (NTP).\nCheck time zone and battery of its clock.\nUntil then do not rely on times and durations of its readings.",
    },
  },
};
