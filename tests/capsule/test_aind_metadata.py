"""What is written is valid against aind-data-schema, without a warning, whatever is given."""

from __future__ import annotations

import json
import warnings
from datetime import UTC, datetime, timedelta

import aind_data_schema
import numpy as np
import pytest
from aind_data_schema.core.data_description import DataDescription
from aind_data_schema.core.processing import Processing
from aind_data_schema.core.quality_control import QualityControl
from aind_data_schema_models.modalities import Modality
from capsule_shim import ASSET, V1
from hypothesis import given, settings
from hypothesis import strategies as st

from isofold.writers import aind_metadata as aind

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
V2 = DataDescription(
    subject_id="717531",
    creation_time=datetime(2024, 8, 7, 9, 1, 2, tzinfo=UTC),
    institution={"name": "Allen Institute for Neural Dynamics"},
    funding_source=[{"funder": {"name": "Allen Institute"}, "fundee": [{"name": "A. One"}]}],
    data_level="raw",
    investigators=[{"name": "A. One"}, {"name": "B. Two"}],
    project_name="Behavior Platform",
    modalities=[Modality.FIB, Modality.BEHAVIOR],
)


def valid(model, table):
    """Read back as the schema does, through JSON, any warning an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return model.model_validate_json(json.dumps(table, allow_nan=False))


def describe(*sources, process="isofold", **more):
    return valid(DataDescription, aind.derived_description(sources, process, AT, **more))


def test_the_schema_versions_are_those_of_the_package():
    assert aind_data_schema.__version__.startswith("2.")
    for model, table in (
        (Processing, aind.processing([], {})),
        (DataDescription, aind.derived_description([], "x", AT)),
        (QualityControl, aind.quality_control([], ["channel"])),
    ):
        assert table["schema_version"] == model.model_fields["schema_version"].default
        assert table["describedBy"] == model.model_fields["describedBy"].default
        assert valid(model, table).object_type == table["object_type"]


def test_modalities_are_those_of_the_schema():
    known = {k: Modality.from_abbreviation(k).name for k in aind.MODALITIES}
    assert known == aind.MODALITIES


def test_version_1_and_2_are_read_alike():
    one, two = describe(V1), describe(V2.model_dump(mode="json"))
    assert one.name == f"{ASSET}_isofold_2026-01-02_03-04-05"
    assert two.name == "717531_2024-08-07_09-01-02_isofold_2026-01-02_03-04-05"
    for about in (one, two):
        assert about.subject_id == "717531"
        assert about.data_level == "derived"
        assert about.institution.abbreviation == "AIND"
        assert about.investigators[0].name == "A. One"
        assert about.project_name == "Behavior Platform"
        assert about.funding_source[0].fundee[0].name == "A. One"
    assert one.source_data == [ASSET]
    assert [m.abbreviation for m in two.modalities] == ["fib", "behavior"]


def test_names_follow_the_rules_and_are_parsed_again():
    derived = describe(V1 | {"name": f"{ASSET}_dff_2025-01-01_00-00-00"}, process="my_method")
    assert derived.name == f"{ASSET}_my-method_2026-01-02_03-04-05"  # of the raw asset again
    parsed = DataDescription.parse_name(derived.name, "derived")
    assert (parsed["input"], parsed["process_name"]) == (ASSET, "my-method")
    both = describe(V1, V2.model_dump(mode="json"), analysis="linear_track")
    assert both.name == "Behavior-Platform_linear-track_2026-01-02_03-04-05"
    assert DataDescription.parse_name(both.name, "derived")["analysis_name"] == "linear-track"
    assert both.source_data == [ASSET, V2.name]
    undated = describe(V1 | {"name": "mouse"}, analysis="a")
    assert undated.name.startswith("Behavior-Platform_a_2026")


@pytest.mark.parametrize(
    "source",
    [
        {},
        {"name": None, "modality": None, "institution": None, "funding_source": None},
        {"modality": {"name": "Fiber photometry", "abbreviation": "fib"}, "investigators": "A, B"},
        {
            "subject_id": "a_b",
            "project_name": "a/b: c",
            "funding_source": ["free text", {}],
            "license": "none",
            "group": "mine",
        },
    ],
)
def test_what_says_little_is_still_described(source):
    about = describe(source)
    assert about.institution.name == "Unknown"
    assert about.subject_id in (None, "a-b")
    assert describe(subject="m_1", modalities=["ecephys"], simulated=True).subject_id == "m-1"


def process(name, minutes=0.0, **more):
    start = AT + timedelta(minutes=minutes)
    code = aind.code("u", "1", parameters=more.pop("parameters", {}))
    return aind.data_process(name, "Model training", start, start, code, **more)


def test_processing_is_ordered_and_complete():
    made = valid(
        Processing,
        aind.processing(
            [process("b", 2, pipeline_name="p", notes="n"), process("a", 1)],
            {"b": ["a"]},
            [aind.code("https://x/p", "1", name="p")],
        ),
    )
    assert made.process_names == ["a", "b"]
    assert made.notes is None  # the schema notes when it has to reorder
    assert made.dependency_graph == {"a": [], "b": ["a"]}
    assert made.data_processes[0].start_date_time == AT + timedelta(minutes=1)
    with pytest.raises(ValueError, match="different names"):
        aind.processing([process("a"), process("a")], {})
    with pytest.raises(ValueError, match=r"same file, got \['c'\]"):
        aind.processing([process("a")], {"a": ["c"]})


def test_a_time_without_a_zone_is_utc():
    code = aind.code("u", "1")
    made = aind.data_process("a", "Analysis", AT.replace(tzinfo=None), AT, code)
    assert made["start_date_time"] == made["end_date_time"]


def metric(value, status="pass", **more):
    by = {"modality": "fib", "evaluator": "isofold"}
    return aind.quality_metric("m", value, status, AT, **by, **more)


def test_quality():
    rows = [metric(0.2, "fail", tags={"channel": "F0"}), metric(float("nan"), "Pending")]
    made = valid(QualityControl, aind.quality_control(rows, ["channel"]))
    assert [m.status.status for m in made.metrics] == ["Fail", "Pending"]
    assert made.metrics[1].value is None
    assert made.status["channel:F0"] == "Fail"
    with pytest.raises(ValueError, match='must be "pass", "fail" or "pending", got \'good\''):
        metric(1, "good")


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats() | st.text(max_size=4)
    | st.sampled_from([np.float32(1.5), np.arange(3), np.bool_(True), AT, b"x"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.tuples(inner)
    | st.dictionaries(st.text(".$ab", max_size=3), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(value=ANYTHING)
def test_any_parameter_or_value_is_valid(value):
    """NaN, arrays, dots in keys: nothing that the document database or JSON refuses."""
    made = aind.processing([process("a", parameters={"x.y": value})], {})
    assert "x_y" in valid(Processing, made).data_processes[0].code.parameters.model_dump()
    valid(QualityControl, aind.quality_control([metric(value)], ["channel"]))
