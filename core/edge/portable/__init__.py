"""The code of an edge bundle: scores an exported model with NumPy and ONNX Runtime, and nothing else of ours.

It travels as it is, so it imports only itself (by relative names), NumPy, ONNX Runtime and the standard library.
"""
