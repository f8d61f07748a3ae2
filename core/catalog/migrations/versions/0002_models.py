"""Models, their versions, aliases and history."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "model",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("workspace", sa.String(64), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("versions", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.UniqueConstraint("workspace", "name"),
    )
    op.create_index("ix_model_workspace", "model", ["workspace"])

    op.create_table(
        "modelversion",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("workspace", sa.String(64), nullable=False),
        sa.Column("model_id", sa.String(16), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.String(16), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("lineage", sa.JSON(), nullable=False),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("notes", sa.String(), nullable=False),
        sa.Column("archived_at", sa.Float()),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.UniqueConstraint("model_id", "number"),
        sa.UniqueConstraint("model_id", "run_id"),
    )
    op.create_index("ix_modelversion_workspace", "modelversion", ["workspace"])
    op.create_index("ix_modelversion_run_id", "modelversion", ["run_id"])

    op.create_table(
        "modelalias",
        sa.Column("model_id", sa.String(16), primary_key=True),
        sa.Column("alias", sa.String(40), primary_key=True),
        sa.Column("workspace", sa.String(64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
    )

    op.create_table(
        "modelevent",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("workspace", sa.String(64), nullable=False),
        sa.Column("model_id", sa.String(16), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("alias", sa.String(40)),
        sa.Column("number", sa.Integer()),
        sa.Column("previous", sa.Integer()),
        sa.Column("who", sa.String(200), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
    )
    op.create_index("ix_model_event_model", "modelevent", ["model_id", "id"])


def downgrade() -> None:
    for table in ("modelevent", "modelalias", "modelversion", "model"):
        op.drop_table(table)
