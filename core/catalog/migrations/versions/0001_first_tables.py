"""Datasets, runs, their events and artifacts."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "dataset",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("workspace", sa.String(64), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("data_digest", sa.String(64), nullable=False),
        sa.Column("profile_digest", sa.String(64), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("columns", sa.Integer(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(300), nullable=False),
        sa.Column("report", sa.JSON(), nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.UniqueConstraint("workspace", "fingerprint"),
    )
    op.create_index("ix_dataset_workspace", "dataset", ["workspace"])

    op.create_table(
        "run",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("workspace", sa.String(64), nullable=False),
        sa.Column("task", sa.String(64), nullable=False),
        sa.Column("lane", sa.String(8), nullable=False),
        sa.Column("title", sa.String(300), nullable=False),
        sa.Column("dataset_id", sa.String(16)),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("queued_at", sa.Float(), nullable=False),
        sa.Column("started_at", sa.Float()),
        sa.Column("finished_at", sa.Float()),
        sa.Column("used_s", sa.Float(), nullable=False),
        sa.Column("lease_until", sa.Float()),
        sa.Column("monitor_pid", sa.Integer()),
        sa.Column("monitor_created", sa.Float()),
        sa.Column("worker_pid", sa.Integer()),
        sa.Column("worker_created", sa.Float()),
        sa.Column("cancel_requested_at", sa.Float()),
        sa.Column("stop_requested_at", sa.Float()),
        sa.Column("timeout_s", sa.Float()),
        sa.Column("memory_limit_mb", sa.Integer()),
        sa.Column("peak_rss_mb", sa.Float()),
        sa.Column("result", sa.JSON()),
        sa.Column("error_message", sa.String()),
        sa.Column("error_hint", sa.String()),
    )
    op.create_index("ix_run_workspace", "run", ["workspace"])
    op.create_index("ix_run_dataset_id", "run", ["dataset_id"])
    op.create_index("ix_run_queue", "run", ["state", "lane", "queued_at"])

    op.create_table(
        "runevent",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("workspace", sa.String(64), nullable=False),
        sa.Column("run_id", sa.String(16), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("phase", sa.String(64), nullable=False),
        sa.Column("fraction", sa.Float()),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("values", sa.JSON(), nullable=False),
    )
    op.create_index("ix_run_event_run", "runevent", ["run_id", "id"])

    op.create_table(
        "runartifact",
        sa.Column("run_id", sa.String(16), primary_key=True),
        sa.Column("name", sa.String(200), primary_key=True),
        sa.Column("workspace", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_runartifact_digest", "runartifact", ["digest"])

    lock = op.create_table("queuelock", sa.Column("id", sa.Integer(), primary_key=True))
    op.bulk_insert(lock, [{"id": 1}])


def downgrade() -> None:
    for table in ("queuelock", "runartifact", "runevent", "run", "dataset"):
        op.drop_table(table)
