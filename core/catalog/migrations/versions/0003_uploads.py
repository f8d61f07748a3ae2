"""The original files of datasets, which are kept so that they can be read again."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    with op.batch_alter_table("dataset") as table:
        table.add_column(sa.Column("upload_digest", sa.String(64)))
        table.add_column(sa.Column("upload_bytes", sa.BigInteger(), nullable=False, server_default="0"))


def downgrade() -> None:
    with op.batch_alter_table("dataset") as table:
        table.drop_column("upload_bytes")
        table.drop_column("upload_digest")
