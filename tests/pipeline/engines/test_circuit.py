from pipeline.engines.circuit import Circuit


def test_after_its_rest_a_circuit_lets_one_caller_try_first():
    now = [0.0]
    circuit = Circuit(failures=1, rest_s=5.0, now=lambda: now[0])
    circuit.failed()
    assert not circuit.admits()
    now[0] = 5.0
    assert circuit.admits()
    assert not circuit.admits()
    circuit.succeeded()
    assert circuit.admits()
