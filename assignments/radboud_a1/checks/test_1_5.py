"""1.5: the container Net, tried with layers that write down what they are asked."""

import pytest

from grader.checks import assert_close

PROBE = """
class ProbeLayer:
    def __init__(self, name, factor):
        self.name, self.factor = name, factor

    def forward(self, x):
        probe_log.append("forward " + self.name)
        return self.factor * x

    def backward(self, x, dy):
        probe_log.append("backward " + self.name)
        probe_inputs.append(float(x))
        probe_upstream.append(float(dy))
        return self.factor * dy

    def step(self, step_size):
        probe_log.append("step " + self.name)
        probe_sizes.append(float(step_size))

probe_log, probe_inputs, probe_upstream, probe_sizes = [], [], [], []
probe_net = Net([ProbeLayer("a", 2.0), ProbeLayer("b", 3.0), ProbeLayer("c", 5.0)])
probe_y, probe_trace = probe_net.forward(1.0)
probe_net.backward(probe_trace, 1.0)
probe_net.step(0.25)
"""


@pytest.mark.question("1.5a", points=1)
def test_chain(student):
    """Net passes values forward and gradients back through all layers, and lets each one step."""
    student.execute(PROBE)
    log = student.probe_log
    assert isinstance(log, list), "the layers were not used"
    forward, backward, step = log[:3], log[3:6], sorted(map(str, log[6:]))
    assert forward == [f"forward {name}" for name in "abc"], "forward does not chain the layers"
    assert backward == [f"backward {name}" for name in "cba"], "backward does not reverse the order"
    assert step == [f"step {name}" for name in "abc"], "step does not reach every layer once"
    assert_close(student.probe_y, 30.0, name="the output")
    assert_close(student.probe_inputs, [6.0, 2.0, 1.0], name="the inputs that backward hands on")
    assert_close(student.probe_upstream, [1.0, 5.0, 15.0], name="the gradients that are passed")
    assert_close(student.probe_sizes, [0.25, 0.25, 0.25], name="the step sizes")
