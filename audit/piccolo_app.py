"""The tables of the history, as Piccolo's migrations see them."""

from __future__ import annotations

from pathlib import Path

from piccolo.conf.apps import AppConfig

from audit.table import Event, EventBody, EventDetail

APP_CONFIG = AppConfig(
    app_name="audit",
    migrations_folder_path=str(Path(__file__).parent / "migrations"),
    table_classes=[Event, EventDetail, EventBody],
    migration_dependencies=["models.piccolo_app"],
)
