"""Runs that work for another run; steps, components and files of pipelines; approvals of code; schedules."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    with op.batch_alter_table("run") as table:
        table.add_column(sa.Column("parent_id", sa.String(16), nullable=False, server_default=""))
        table.create_index("ix_run_parent_id", ["parent_id"])

    op.create_table(
        "filereference",
        sa.Column("owner_id", sa.String(16), primary_key=True),
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("workspace", sa.String(64), nullable=False),
    )
    op.create_index("ix_filereference_digest", "filereference", ["digest"])

    op.create_table(
        "pipelinestep",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("workspace", sa.String(64), nullable=False),
        sa.Column("pipeline_run_id", sa.String(16), nullable=False),
        sa.Column("pipeline", sa.String(300), nullable=False),
        sa.Column("path", sa.String(300), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.String(16), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("parts", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("outputs", sa.JSON(), nullable=False),
        sa.Column("started_at", sa.Float()),
        sa.Column("finished_at", sa.Float()),
        sa.Column("created_at", sa.Float(), nullable=False),
    )
    op.create_index("ix_pipelinestep_pipeline_run_id", "pipelinestep", ["pipeline_run_id"])
    op.create_index("ix_pipelinestep_key", "pipelinestep", ["workspace", "key"])
    op.create_index("ix_pipelinestep_path", "pipelinestep", ["workspace", "pipeline", "path"])

    op.create_table(
        "pipelinecomponent",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("workspace", sa.String(64), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("code", sa.JSON(), nullable=False),
        sa.Column("who", sa.String(200), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("archived_at", sa.Float()),
        sa.UniqueConstraint("workspace", "name", "version"),
    )
    op.create_index("ix_pipelinecomponent_workspace", "pipelinecomponent", ["workspace"])

    op.create_table(
        "approvedcode",
        sa.Column("workspace", sa.String(64), primary_key=True),
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("who", sa.String(200), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
    )

    op.create_table(
        "savedpipeline",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("workspace", sa.String(64), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("files", sa.JSON(), nullable=False),
        sa.Column("who", sa.String(200), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("changed_at", sa.Float(), nullable=False),
        sa.UniqueConstraint("workspace", "name"),
    )
    op.create_index("ix_savedpipeline_workspace", "savedpipeline", ["workspace"])

    op.create_table(
        "schedule",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("workspace", sa.String(64), nullable=False),
        sa.Column("title", sa.String(300), nullable=False),
        sa.Column("task", sa.String(64), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("dataset_id", sa.String(16)),
        sa.Column("cron", sa.String(200), nullable=False),
        sa.Column("interval_s", sa.Float()),
        sa.Column("time_zone", sa.String(64), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("next_at", sa.Float()),
        sa.Column("last_at", sa.Float()),
        sa.Column("last_run_id", sa.String(16), nullable=False),
        sa.Column("missed", sa.Integer(), nullable=False),
        sa.Column("skipped", sa.Integer(), nullable=False),
        sa.Column("problem", sa.String(), nullable=False),
        sa.Column("who", sa.String(200), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
    )
    op.create_index("ix_schedule_workspace", "schedule", ["workspace"])
    op.create_index("ix_schedule_due", "schedule", ["enabled", "next_at"])


def downgrade() -> None:
    for name in ("schedule", "savedpipeline", "approvedcode", "pipelinecomponent", "pipelinestep", "filereference"):
        op.drop_table(name)
    with op.batch_alter_table("run") as table:
        table.drop_index("ix_run_parent_id")
        table.drop_column("parent_id")
