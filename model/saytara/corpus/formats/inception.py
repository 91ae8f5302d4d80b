"""INCEpTION's UIMA CAS XMI, through `dkpro-cassis`: a folder of ``.xmi`` files with their ``TypeSystem.xml``.

Carries mentions (the built-in layer of named entities), triggers, roles (link features) and factuality; not dates,
headers and scores. Writes tokens and sentences as well, cut at the edges of spans.
"""

import io
import warnings
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from saytara.arabic.segment import find_sentences, find_words
from saytara.corpus.formats.draft import Draft, DraftLink, DraftSpan, renumber, spans_of
from saytara.corpus.formats.files import document_id_of, file_name, new_folder
from saytara.corpus.formats.losses import Losses, left_out
from saytara.corpus.rules import show
from saytara.document import Annotation, Document, Span
from saytara.errors import DataError, MissingExtraError
from saytara.schema import Schema

if TYPE_CHECKING:
    from cassis import Cas, TypeSystem

LEAVES_OUT = ("dates", "header values", "ids of mentions and events", "scores", "warnings", "entries of the gazetteers")
TOKEN = "de.tudarmstadt.ukp.dkpro.core.api.segmentation.type.Token"
SENTENCE = "de.tudarmstadt.ukp.dkpro.core.api.segmentation.type.Sentence"
METADATA = "de.tudarmstadt.ukp.dkpro.core.api.metadata.type.DocumentMetaData"
MENTION = "de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity"
EVENT = "webanno.custom.Event"
LINK = "webanno.custom.EventArgumentsLink"
OWN_LAYERS = ("webanno.custom.", "custom.")
"""Open the names of layers that a project made itself."""
TYPES_FILE = "TypeSystem.xml"


def read_inception(path: Path, schema: Schema) -> tuple[list[Annotation], Losses]:
    """Read a folder of ``.xmi`` and ``.zip`` files as INCEpTION exports them, with sub-folders, or one such file.

    Each ``.xmi`` needs its ``TypeSystem.xml`` beside it or in a folder above, up to the one named.
    """
    losses: Losses = Counter()
    sources = list(_sources(path))
    if not sources:
        raise DataError("no .xmi file lies here. Export from INCEpTION as UIMA CAS XMI.", where=str(path))
    annotations = [
        _annotation(_load(xmi, types, where), name, where, schema, losses) for name, where, xmi, types in sources
    ]
    return annotations, +losses


def write_inception(path: Path, annotations: Sequence[Annotation], schema: Schema) -> Losses:
    """Write a new folder of ``.xmi`` files and the ``TypeSystem.xml`` of their layers; gives what was left out."""
    types = type_system(schema)
    with new_folder(path) as folder:
        (folder / TYPES_FILE).write_text(types.to_xml(), encoding="utf-8")
        for annotation in annotations:
            name = f"{file_name(annotation.document.id)}.xmi"
            where = f'document "{annotation.document.id}"'
            cas = _to_cas(renumber(annotation, schema), types, name)
            try:
                xmi = cas.to_xmi()
            except ValueError as error:
                raise DataError(f"the text has what XML cannot hold ({error}). Remove it.", where=where) from error
            (folder / name).write_text(str(xmi), encoding="utf-8", newline="")
    return left_out(annotations, schema, LEAVES_OUT)


def type_system(schema: Schema) -> "TypeSystem":
    """The layers as INCEpTION knows them; import it in a project's settings, Layers."""
    cassis = _cassis()
    types = cassis.TypeSystem()
    text = "uima.cas.String"
    for name in (TOKEN, SENTENCE):
        types.create_type(name=name, supertypeName="uima.tcas.Annotation")
    metadata = types.create_type(name=METADATA, supertypeName="uima.tcas.DocumentAnnotation")
    for feature in ("documentTitle", "documentId"):
        types.create_feature(domainType=metadata, name=feature, rangeType=text)
    types.create_feature(types.create_type(name=MENTION, supertypeName="uima.tcas.Annotation"), "value", text)
    if schema.events:
        link = types.create_type(name=LINK, supertypeName="uima.cas.TOP")
        types.create_feature(link, "role", text)
        types.create_feature(link, "target", MENTION)
        event = types.create_type(name=EVENT, supertypeName="uima.tcas.Annotation")
        types.create_feature(event, "value", text)
        types.create_feature(event, "factuality", text)
        types.create_feature(event, "arguments", "uima.cas.FSArray", elementType=LINK)
    return types


def _cassis() -> Any:
    try:
        import cassis
    except ImportError as error:
        raise MissingExtraError("INCEpTION's XMI", extra="formats") from error
    return cassis


def _to_cas(annotation: Annotation, types: "TypeSystem", name: str) -> "Cas":
    cas = _cassis().Cas(types)
    text = cas.sofa_string = annotation.document.text
    cas.sofa_mime = "text/plain"
    metadata = types.get_type(METADATA)
    cas.add(metadata(begin=0, end=len(text), language="ar", documentTitle=name, documentId=name))
    words = list(_tokens(annotation))
    for start, end in words:
        cas.add(types.get_type(TOKEN)(begin=start, end=end))
    for first, last in _sentences(annotation, words):
        cas.add(types.get_type(SENTENCE)(begin=words[first][0], end=words[last - 1][1]))
    entity = types.get_type(MENTION)
    found = {m.id: entity(begin=m.span.start, end=m.span.end, value=m.label) for m in annotation.mentions}
    for mention in found.values():
        cas.add(mention)
    for event in annotation.events:
        link, layer = types.get_type(LINK), types.get_type(EVENT)
        links = [link(role=argument.role, target=found[argument.mention]) for argument in event.arguments]
        values = {"value": event.type, "factuality": event.factuality}
        array = types.get_type("uima.cas.FSArray")(elements=links)
        cas.add(layer(begin=event.trigger.start, end=event.trigger.end, arguments=array, **values))
    return cas


def _tokens(annotation: Annotation) -> Iterator[tuple[int, int]]:
    """Words, cut at the edges of spans: INCEpTION's layers anchor at tokens."""
    edges = sorted({edge for _, _, span in spans_of(annotation) for edge in (span.start, span.end)})
    for start, end in find_words(annotation.document.text):
        yield from pairwise([start, *(edge for edge in edges if start < edge < end), end])


def _sentences(annotation: Annotation, words: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Ranges of words; sentences that a span crosses are one, because layers do not cross sentences."""
    first = 0
    for _, end in find_sentences(annotation.document.text, words):
        reach = words[end - 1][1]
        if any(span.start < reach < span.end for _, _, span in spans_of(annotation)):
            continue
        yield first, end
        first = end


def _sources(path: Path) -> Iterator[tuple[str, str, bytes, bytes]]:
    """Name, place, XMI and type system of each document."""
    found = [path] if not path.is_dir() else sorted(f for f in path.rglob("*") if f.suffix in (".xmi", ".zip"))
    for file in (f for f in found if not f.is_dir()):
        name = file.relative_to(path).with_suffix("").as_posix() if path.is_dir() else file.stem
        if file.suffix == ".zip":
            yield from _zipped(file, name)
            continue
        folders = [file.parent, *(folder for folder in file.parents if folder == path or path in folder.parents)]
        types = next((folder / TYPES_FILE for folder in folders if (folder / TYPES_FILE).is_file()), None)
        if types is None:
            raise DataError(f"has no {TYPES_FILE} beside it. Keep what INCEpTION exported together.", where=str(file))
        yield name, str(file), _bytes(file), _bytes(types)


def _zipped(file: Path, name: str) -> Iterator[tuple[str, str, bytes, bytes]]:
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
            types = next((member for member in names if Path(member).name == TYPES_FILE), None)
            for member in sorted(member for member in names if member.endswith(".xmi")):
                where = f"{file}/{member}"
                if types is None:
                    raise DataError(f"the archive has no {TYPES_FILE}. Export as UIMA CAS XMI.", where=where)
                yield name, where, archive.read(member), archive.read(types)
    except (OSError, zipfile.BadZipFile) as error:
        raise DataError(f"cannot be read ({error}).", where=str(file)) from error


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror}). Check the path.", where=str(path)) from error


def _load(xmi: bytes, types: bytes, where: str) -> "Cas":
    cassis = _cassis()
    from lxml.etree import XMLSyntaxError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of offsets out of the text; they are refused by the reader
            return cassis.load_cas_from_xmi(io.BytesIO(xmi), typesystem=cassis.load_typesystem(io.BytesIO(types)))
    except XMLSyntaxError as error:
        raise DataError(f"is not XML ({error}).", where=where) from error
    except Exception as error:  # cassis raises bare ones for types that are not in the type system
        raise DataError(f"does not fit its {TYPES_FILE} ({error}). Export both together.", where=where) from error


def _annotation(cas: "Cas", name: str, where: str, schema: Schema, losses: Losses) -> Annotation:
    if cas.sofa_string is None:
        raise DataError("has no text.", where=where)
    types = cas.typesystem
    draft = Draft(Document(cas.sofa_string, _document_id(cas, name)), where)
    for layer in [MENTION, *([EVENT] if schema.events else [])]:
        if not types.contains_type(layer):
            raise DataError(f"has no layer {layer}. Import our {TYPES_FILE} into the project.", where=where)
        for found in cas.select(layer):
            draft.spans.append(_span(found, where, is_event=layer == EVENT))
            if layer == EVENT:
                draft.links += _links(found, where)
    for other in types.get_types():
        if other.name.startswith(OWN_LAYERS) and other.name not in (EVENT, LINK):
            losses[f"annotations of the layer {other.name}"] += len(cas.select(other.name))
    return draft.finish(schema)


def _document_id(cas: "Cas", name: str) -> str:
    """The title of the document, which is the name of the file that was uploaded; else the name of this file."""
    titles = [found.documentTitle for found in cas.select(METADATA)] if cas.typesystem.contains_type(METADATA) else []
    title = titles[0] if titles and titles[0] else name
    return document_id_of(title.removesuffix(".xmi").removesuffix(".txt"))


def _span(found: Any, where: str, *, is_event: bool) -> DraftSpan:
    where = f"{where}: annotation {found.xmiID}"
    if not found.value:
        raise DataError("has no value. Give it its label in INCEpTION.", where=where)
    factuality = found.factuality or None if is_event else None
    return DraftSpan(str(found.xmiID), found.value, Span(found.begin, found.end), where, factuality=factuality)


def _links(found: Any, where: str) -> Iterator[DraftLink]:
    arguments = found.arguments.elements if found.arguments is not None else []
    for link in arguments:
        where_link = f"{where}: annotation {found.xmiID}, argument {show(link.role)}"
        if link.role is None or link.target is None:
            raise DataError("has no role or no mention. Fill the slot in INCEpTION or remove it.", where=where_link)
        yield DraftLink(link.role, str(found.xmiID), str(link.target.xmiID), where_link)
