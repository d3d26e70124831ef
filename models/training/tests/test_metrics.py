from plated_training import metrics


def test_score_on_a_tiny_fixture():
    labels = [{"image": "a", "plates": [{"box": [0, 0, 10, 10], "text": "AB0", "state": "CA"}]},
              {"image": "b", "plates": [{"box": [0, 0, 10, 10], "text": "XYZ"}, {"box": [50, 50, 5, 5]}]}]
    reads = [{"image": "a", "plates": [{"text": "ABO", "confidence": .95, "box": [0, 0, 10, 9], "state": "CA", "state_confidence": .9},
                                       {"text": "ZZZ", "confidence": .99, "box": [40, 40, 5, 5]}]},
             {"image": "b", "plates": [{"text": "XYZ", "confidence": .5, "box": [30, 30, 9, 9]}]}]
    s = metrics.score(labels, reads)
    assert s["plates"] == 2 and s["capture"] == .5 and s["exact"] == 0 and s["folded"] == .5
    assert s["char"] == round(2 / 3 / 2, 4) and s["wrong_folded@0.9"] == [0, 1] and s["state"] == 1


def test_calibration_error():
    assert metrics.calibration_error([(.8, True)] * 4 + [(.8, False)]) < 1e-9
    assert abs(metrics.calibration_error([(.9, False)] * 10) - .9) < 1e-9
    assert metrics.edit("KITTEN", "SITTING") == 3
