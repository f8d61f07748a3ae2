"""Parts name the row that they belong to by a foreign key, and go with it."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

_OWNERS = (
    ("runevent", "run_id", "run"),
    ("runartifact", "run_id", "run"),
    ("pipelinestep", "pipeline_run_id", "run"),
    ("modelversion", "model_id", "model"),
    ("modelalias", "model_id", "model"),
    ("modelevent", "model_id", "model"),
    ("promotion", "model_id", "model"),
    ("datasetchange", "origin_id", "dataset"),
)


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("SELECT set_config('plumbline.workspace', '*', true)")
    _remove_orphans()
    for part, column, owner in _OWNERS:
        with op.batch_alter_table(part) as table:
            table.create_foreign_key(_name(part, column), owner, [column], ["id"], ondelete="CASCADE")


def _remove_orphans() -> None:
    """Remove the rows that belong to nothing: no page has shown them since their owner was removed."""
    for part, column, owner in _OWNERS:
        orphans = f"FROM {part} WHERE {column} NOT IN (SELECT id FROM {owner})"
        if part == "pipelinestep":
            op.execute(sa.text(f"DELETE FROM filereference WHERE owner_id IN (SELECT id {orphans})"))
        op.execute(sa.text(f"DELETE {orphans}"))


def _name(part: str, column: str) -> str:
    return f"fk_{part}_{column}"


def downgrade() -> None:
    for part, column, _owner in _OWNERS:
        with op.batch_alter_table(part) as table:
            table.drop_constraint(_name(part, column), type_="foreignkey")
