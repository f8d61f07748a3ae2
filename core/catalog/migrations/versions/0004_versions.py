"""Versions of datasets, and changes that can be undone."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    with op.batch_alter_table("dataset") as table:
        table.add_column(sa.Column("origin_id", sa.String(16), nullable=False, server_default=""))
        table.add_column(sa.Column("number", sa.Integer(), nullable=False, server_default="1"))
        table.add_column(sa.Column("lineage", sa.JSON(), nullable=False, server_default="{}"))
        table.add_column(sa.Column("head_id", sa.String(16), nullable=False, server_default=""))
        table.add_column(sa.Column("draft", sa.JSON(), nullable=False, server_default="{}"))
        table.create_index("ix_dataset_origin_id", ["origin_id"])

    op.create_table(
        "datasetchange",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("workspace", sa.String(64), nullable=False),
        sa.Column("origin_id", sa.String(16), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("label", sa.String(300), nullable=False),
        sa.Column("who", sa.String(200), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("after", sa.JSON(), nullable=False),
        sa.Column("undone", sa.Boolean(), nullable=False),
    )
    op.create_index("ix_dataset_change_origin", "datasetchange", ["origin_id", "id"])


def downgrade() -> None:
    op.drop_table("datasetchange")
    op.execute("DELETE FROM dataset WHERE origin_id <> ''")
    with op.batch_alter_table("dataset") as table:
        table.drop_index("ix_dataset_origin_id")
        for column in ("draft", "head_id", "lineage", "number", "origin_id"):
            table.drop_column(column)
