"""Archives of torch.export as modules that can be trained and evaluated."""
import types

import torch

from .export_network import without_training


def load(path):
    """The module of an archive that was exported in training mode, with train() and eval()."""
    program = torch.export.load(path)
    # The guards hold a batch to two clips or more, which only the tracing needed.
    net = program.module(check_guards=False)
    exported = [(n, n.args, n.kwargs) for n in net.graph.nodes if n.op == "call_function"]

    def train(self, mode=True):
        for node, args, kwargs in exported:
            node.args, node.kwargs = args, kwargs
        if not mode:
            without_training(self.graph)
        self.recompile()
        self.training = mode
        return self

    net.train = types.MethodType(train, net)
    net.eval = types.MethodType(lambda self: self.train(False), net)
    return net
