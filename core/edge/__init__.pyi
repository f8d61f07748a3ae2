from .bundle.bundle import prove_bundle, write_bundle
from .bundle.card import bundle_card
from .bundle.license import LICENSES, license_text
from .bundle.proof import BUNDLE_ROWS
from .export.estimators import EXPORTABLE, ExportableEstimator
from .export.export import export_onnx
from .export.metadata import Column, Metadata
from .export.onnx_model import OnnxModel
from .export.parity import Parity
from .inspection.graph import Graph, Port, describe_graph
from .inspection.inspect import inspect_onnx
from .latency import LatencyReport, LatencySettings, Percentile, measure_latency
from .scoring.feeds import table_feeds
from .scoring.table_scorer import TableScorer
from .scoring.text_rows import SECOND_TEXT, TEXT, text_rows
from .scoring.text_scorer import TextScorer
from .variants.compare import VariantComparison
from .variants.forms import VARIANT_FORMS, VariantForm
from .variants.modes import FULL_PRECISION, QUANTIZATION_MODES, QuantizationMode
from .variants.quantize import quantize
from .variants.record import ExportRecord, ExportSource, RowCounts
from .variants.variants import HeldOut, Variant, make_variants
from .variants.vocabulary import PrunedVocabulary, prune_vocabulary

__all__ = [
    "BUNDLE_ROWS",
    "EXPORTABLE",
    "FULL_PRECISION",
    "LICENSES",
    "QUANTIZATION_MODES",
    "SECOND_TEXT",
    "TEXT",
    "VARIANT_FORMS",
    "Column",
    "ExportRecord",
    "ExportSource",
    "ExportableEstimator",
    "Graph",
    "HeldOut",
    "LatencyReport",
    "LatencySettings",
    "Metadata",
    "OnnxModel",
    "Parity",
    "Percentile",
    "Port",
    "PrunedVocabulary",
    "QuantizationMode",
    "RowCounts",
    "TableScorer",
    "TextScorer",
    "Variant",
    "VariantComparison",
    "VariantForm",
    "bundle_card",
    "describe_graph",
    "export_onnx",
    "inspect_onnx",
    "license_text",
    "make_variants",
    "measure_latency",
    "prove_bundle",
    "prune_vocabulary",
    "quantize",
    "table_feeds",
    "text_rows",
    "write_bundle",
]
