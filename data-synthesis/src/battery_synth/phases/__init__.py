"""The phases after the raw series: what an operator's systems would derive from it, each made again on its own."""
