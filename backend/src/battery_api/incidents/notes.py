"""Templates of notes: what engineers write most when they acknowledge."""

from typing import Final

from battery_api.incidents.schemas import NoteTemplate

TEMPLATES: Final = (
    NoteTemplate(template_id="on_site", en="On site, checking.", th="ถึงหน้างานแล้ว กำลังตรวจสอบ"),
    NoteTemplate(template_id="on_the_way", en="Technician on the way.", th="ช่างกำลังเดินทางเข้าพื้นที่"),
    NoteTemplate(
        template_id="remote_check",
        en="Checking remotely; readings look plausible.",
        th="กำลังตรวจสอบจากระยะไกล ค่าที่วัดได้สมเหตุสมผล",
    ),
    NoteTemplate(template_id="known_work", en="Known: planned work is under way.", th="ทราบแล้ว อยู่ระหว่างงานตามแผน"),
    NoteTemplate(template_id="spare_ordered", en="Replacement battery ordered.", th="สั่งซื้อแบตเตอรี่ทดแทนแล้ว"),
    NoteTemplate(
        template_id="sensor_suspected",
        en="Sensor or lead suspected; will be measured by hand.",
        th="สงสัยเซนเซอร์หรือสายวัด จะวัดซ้ำด้วยเครื่องมือ",
    ),
    NoteTemplate(template_id="vendor_called", en="Service partner called.", th="แจ้งผู้ให้บริการบำรุงรักษาแล้ว"),
)
"""The templates, the most common first."""
