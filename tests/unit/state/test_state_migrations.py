import pytest

from hybridcore.errors import StateError
from hybridcore.state import migrations, schema


def rename_field(data):
    return {("plugins" if key == "addons" else key): value for key, value in data.items()}


def add_field(data):
    return {**data, "sources": {}}


STEPS = {1: rename_field, 2: add_field}


def migrate(data, current=3):
    return migrations.migrate(data, file="state.json", migrations=STEPS, current=current)


def test_every_earlier_version_has_a_migration():
    assert sorted(migrations.MIGRATIONS) == list(range(1, schema.SCHEMA_VERSION))


def test_steps_are_taken_in_order_up_to_the_present_version():
    assert migrate({"schema_version": 1, "addons": {"a": "1"}}) == {
        "schema_version": 3,
        "plugins": {"a": "1"},
        "sources": {},
    }
    assert migrate({"schema_version": 2, "addons": 1}) == {"schema_version": 3, "addons": 1, "sources": {}}


def test_the_present_version_is_left_as_it_is():
    data = {"schema_version": 3}
    assert migrate(data) is data


def test_a_newer_version_is_refused():
    with pytest.raises(StateError, match=r"state.json: the state is of schema version 4, .* up to 3"):
        migrate({"schema_version": 4})


@pytest.mark.parametrize("version", [None, 0, -1, "1", 1.0, True, []])
def test_what_is_no_version_is_damage(version):
    with pytest.raises(StateError, match="damaged"):
        migrate({"schema_version": version})
