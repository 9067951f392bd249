"""The tables of the product, as Piccolo's migrations see them."""

from __future__ import annotations

from pathlib import Path

from piccolo.conf.apps import AppConfig

from models.registry import AUDITED, OPERATIONAL

APP_CONFIG = AppConfig(
    app_name="models",
    migrations_folder_path=str(Path(__file__).parent / "migrations"),
    table_classes=[*AUDITED, *OPERATIONAL],
    migration_dependencies=[],
)
