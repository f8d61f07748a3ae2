"""The code of an edge bundle: scores an exported model with NumPy and ONNX Runtime.

It is copied into bundles, so it imports only itself (by relative names), NumPy, ONNX Runtime and the standard library.
"""
