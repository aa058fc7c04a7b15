"""A method that fails as an alternative leaves its reason, and every later stage passes it on."""

from types import SimpleNamespace

import pytest

from cellstack.errors import InputError
from cellstack.files.failures import read_failure, write_failure
from cellstack.run.alternatives import record_failures

ALTERNATIVE = "alternatives/binarize/minimum/a"


def job(tmp_path, stack, *inputs):
    output = tmp_path / "made.tif"
    return SimpleNamespace(
        wildcards={"stack": stack},
        rule="try_binarize",
        input=[str(path) for path in inputs],
        output=[str(output)],
    ), output


def fail(**arguments):
    raise InputError("no two peaks")


def test_the_reason_of_a_failure_is_the_output(tmp_path):
    snakemake, output = job(tmp_path, ALTERNATIVE)
    record_failures(fail, snakemake)()
    assert read_failure(output) == "binarize: no two peaks"


def test_a_failed_input_is_passed_on_without_running_the_stage(tmp_path):
    sound, failed = tmp_path / "a.tif", tmp_path / "b.tif"
    sound.write_bytes(b"II*\0")
    write_failure(failed, "binarize: é")
    snakemake, output = job(tmp_path, ALTERNATIVE, sound, failed)
    called = []
    record_failures(lambda **arguments: called.append(arguments), snakemake)(mask=failed)
    assert called == []
    assert read_failure(output) == "binarize: é"


def test_results_pass(tmp_path):
    snakemake, output = job(tmp_path, ALTERNATIVE)
    record_failures(lambda *, value: output.write_text(value), snakemake)(value="sound")
    assert output.read_text() == "sound"
    assert read_failure(output) is None


def test_other_errors_and_other_jobs_fail(tmp_path):
    snakemake, output = job(tmp_path, ALTERNATIVE)

    def crash():
        raise ValueError

    with pytest.raises(ValueError):
        record_failures(crash, snakemake)()
    for stack in ("a", "sweep/1/a", "a/blocks/0-0-0"):
        with pytest.raises(InputError):
            record_failures(fail, job(tmp_path, stack)[0])()
    with pytest.raises(InputError):
        record_failures(fail, None)()
    assert not output.exists()
