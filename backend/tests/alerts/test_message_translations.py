import re
from pathlib import Path

from battery_api.alerts.messages import MESSAGES

TEXTS = Path(__file__).resolve().parents[3] / "frontend" / "src" / "i18n"


def test_the_dashboard_has_a_sentence_for_every_message() -> None:
    for name in ("en-alerts.ts", "th-alerts.ts"):
        sentences = (TEXTS / name).read_text(encoding="utf-8").split("    sentence: {", 1)[1].split("\n    },", 1)[0]
        codes = set(re.findall(r"^ {6}(\w+):", sentences, flags=re.MULTILINE))
        assert set(MESSAGES) - codes == set(), name
