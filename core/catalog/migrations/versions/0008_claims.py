"""Who holds a run: a token per claim, and the host. Seconds of work, as monitors count them."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_ENDED = "coalesce(finished_at, lease_until)"
_OF_LAST_ATTEMPT = f"CASE WHEN {_ENDED} > started_at THEN {_ENDED} - started_at ELSE 0 END"


def upgrade() -> None:
    with op.batch_alter_table("run") as table:
        table.add_column(sa.Column("claim_token", sa.String(32)))
        table.add_column(sa.Column("host_id", sa.String(16), nullable=False, server_default=""))
        table.add_column(sa.Column("limit_from_s", sa.Float(), nullable=False, server_default="0"))
    # It had the seconds of earlier attempts; those of the last one were the time between two moments.
    op.execute(f"UPDATE run SET used_s = used_s + {_OF_LAST_ATTEMPT} WHERE started_at IS NOT NULL")


def downgrade() -> None:
    op.execute(f"UPDATE run SET used_s = used_s - {_OF_LAST_ATTEMPT} WHERE started_at IS NOT NULL")
    op.execute("UPDATE run SET used_s = 0 WHERE used_s < 0")
    with op.batch_alter_table("run") as table:
        for name in ("limit_from_s", "host_id", "claim_token"):
            table.drop_column(name)
