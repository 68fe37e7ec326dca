"""Code generation from theories: kernels for NumPy and PyTorch.

====================  =========================================================
``tensors``           terms with free indices as operations on whole arrays
``program``           loops, branches and assignments over tensor expressions
``layered``           programs from definitions over layers
``fuse``              loops over the same layers, run as one
``literal``           programs from definitions in time
``printing``          what printers share; ``numpy_printer``, ``torch_printer``
``activation_table``  the named activations that a file carries
``generate``          whole files: ``kernel_source``, ``load_kernel``
====================  =========================================================
"""
