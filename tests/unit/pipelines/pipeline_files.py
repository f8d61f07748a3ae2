"""Small pipelines of real commands for tests."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

from core.pipelines import Pipeline, load_pipeline

__all__ = ["DIAMOND", "chain", "pipeline_of"]

DIAMOND = """
type: pipeline
display_name: diamond
jobs:
  first:
    command: echo 1 > ${{outputs.out}}/n
    environment: none
    outputs: {out: {type: uri_folder}}
  left:
    command: LEFT
    environment: none
    inputs: {data: "${{parent.jobs.first.outputs.out}}"}
    outputs: {out: }
  right:
    command: cp ${{inputs.data}}/n ${{outputs.out}}/n
    environment: none
    inputs: {data: "${{parent.jobs.first.outputs.out}}"}
    outputs: {out: }
  last:
    command: cat ${{inputs.a}}/n ${{inputs.b}}/n > ${{outputs.out}}/n
    environment: none
    inputs: {a: "${{parent.jobs.left.outputs.out}}", b: "${{parent.jobs.right.outputs.out}}"}
    outputs: {out: }
  apart:
    command: echo apart > ${{outputs.out}}/n
    environment: none
    outputs: {out: }
"""


def pipeline_of(folder: Path, text: str, **files: str) -> Pipeline:
    """Return the pipeline of a text; further files are written beside it, ``prep__main_py`` as ``prep/main.py``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(content))
    path = folder / "pipeline.yml"
    path.write_text(dedent(text))
    return load_pipeline(path)


def chain(folder: Path, depth: int = 6, comment: str = "") -> Pipeline:
    """Return a pipeline of three steps: one with a parameter in the middle, each with code of its own."""
    code = f"import pathlib, sys\n# {comment}\npathlib.Path(sys.argv[1], 'n').write_text(' '.join(sys.argv[2:]))\n"
    return pipeline_of(
        folder,
        f"""
        type: pipeline
        display_name: chain
        inputs:
          max_depth: {depth}
        outputs:
          result:
        jobs:
          prep:
            command: python prep.py ${{{{outputs.out}}}} prepared
            code: ./prep
            environment: none
            outputs: {{out: }}
          train:
            command: python train.py ${{{{outputs.out}}}} ${{{{inputs.max_depth}}}} "$(cat ${{{{inputs.data}}}}/n)"
            code: ./train
            environment: none
            inputs: {{data: "${{{{parent.jobs.prep.outputs.out}}}}", max_depth: "${{{{parent.inputs.max_depth}}}}"}}
            outputs: {{out: }}
          score:
            command: cp ${{{{inputs.model}}}}/n ${{{{outputs.out}}}}/n
            environment: none
            inputs: {{model: "${{{{parent.jobs.train.outputs.out}}}}"}}
            outputs: {{out: "${{{{parent.outputs.result}}}}"}}
        """,
        prep__prep_py=code,
        train__train_py=code.replace("#", "# train"),
    )
