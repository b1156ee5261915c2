# The policy of the comparison, in Rego: 14 requirements, 22 preferences, 4 remarks.
package policy

import rego.v1

holds_latency_over_budget if {
	input.net.latency.high_ms <= input.need.latency_ms
}

failed contains ["latency-over-budget", sprintf("%s: slower than the budget", [input.net.id])] if {
	input.need.latency_ms > 0
	not holds_latency_over_budget
}

holds_weights_over_size if {
	input.net.size_bytes <= input.need.max_size_bytes
}

failed contains ["weights-over-size", sprintf("%s: weights too large", [input.net.id])] if {
	input.need.max_size_bytes > 0
	not holds_weights_over_size
}

holds_too_many_parameters if {
	input.net.params <= input.need.max_params
}

failed contains ["too-many-parameters", sprintf("%s: too many parameters", [input.net.id])] if {
	input.need.max_params > 0
	not holds_too_many_parameters
}

holds_accuracy_below_floor if {
	input.net.accuracy.value >= input.need.min_accuracy
}

failed contains ["accuracy-below-floor", sprintf("%s: not accurate enough", [input.net.id])] if {
	input.need.min_accuracy > 0
	not holds_accuracy_below_floor
}

holds_activations_over_ram if {
	input.net.ram_bytes <= input.need.ram_bytes
}

failed contains ["activations-over-ram", sprintf("%s: activations too large", [input.net.id])] if {
	input.need.ram_bytes > 0
	not holds_activations_over_ram
}

holds_licence_not_permissive if {
	input.net.permissive == true
}

failed contains ["licence-not-permissive", sprintf("%s: licence restricts", [input.net.id])] if {
	input.need.licence == "permissive"
	not holds_licence_not_permissive
}

holds_too_many_macs if {
	input.net.macs <= 40000000000
}

failed contains ["too-many-macs", sprintf("%s: too much work", [input.net.id])] if {
	input.need.deploy == "cpu-server"
	not holds_too_many_macs
}

holds_input_too_large if {
	input.net.input_size <= 512
}

failed contains ["input-too-large", sprintf("%s: input too large", [input.net.id])] if {
	input.need.deploy == "cpu-server"
	not holds_input_too_large
}

holds_no_weights_for_few_images if {
	input.net.pretrained == true
}

failed contains ["no-weights-for-few-images", sprintf("%s: no weights to fine-tune", [input.net.id])] if {
	input.need.train_images < 100000
	not holds_no_weights_for_few_images
}

holds_experimental_for_low_effort if {
	input.net.maturity != "experimental"
}

failed contains ["experimental-for-low-effort", sprintf("%s: too immature for the effort", [input.net.id])] if {
	input.need.effort == "low"
	not holds_experimental_for_low_effort
}

holds_batch_unsupported if {
	input.net.params * input.need.batch <= 40000000000
}

failed contains ["batch-unsupported", sprintf("%s: batch too large", [input.net.id])] if {
	input.need.batch > 1
	not holds_batch_unsupported
}

holds_slower_than_half_budget_in_batch if {
	input.net.latency.ms * input.need.batch <= input.need.latency_ms * 4
}

failed contains ["slower-than-half-budget-in-batch", sprintf("%s: too slow in batches", [input.net.id])] if {
	input.need.batch > 1
	not holds_slower_than_half_budget_in_batch
}

holds_precision_not_asked_for if {
	input.net.precision in ["fp32", "fp16"]
}

failed contains ["precision-not-asked-for", sprintf("%s: precision was not asked for", [input.net.id])] if {
	input.need.task == "classify"
	not holds_precision_not_asked_for
}

holds_depthwise_on_slow_runner if {
	input.net.depthwise_share <= 0.9
}

holds_depthwise_on_slow_runner if {
	input.net.latency.ms <= 200
}

failed contains ["depthwise-on-slow-runner", sprintf("%s: depthwise is slow here", [input.net.id])] if {
	input.need.threads == 1
	not holds_depthwise_on_slow_runner
}

score_small_family := 1.0 if {
	input.net.family in ["MobileNetV3", "ShuffleNetV2", "EfficientNet-Lite"]
} else := 0.0

scores contains ["small-family", score_small_family, 2.0] if {
	input.need.deploy == "cpu-server"
}

score_modern_family := 1.0 if {
	input.net.family in ["ConvNeXt", "EfficientNetV2"]
} else := 0.0

scores contains ["modern-family", score_modern_family, 2.0] if {
	input.need.deploy == "cpu-server"
}

score_classic_family := 1.0 if {
	input.net.family in ["ResNet", "VGG", "AlexNet"]
} else := 0.0

scores contains ["classic-family", score_classic_family, 2.0] if {
	input.need.deploy == "cpu-server"
}

score_scaled_family := 1.0 if {
	input.net.family in ["EfficientNet", "RegNet", "ResNeXt"]
} else := 0.0

scores contains ["scaled-family", score_scaled_family, 2.0] if {
	input.need.deploy == "cpu-server"
}

score_mobile_family := 1.0 if {
	input.net.family in ["MobileNetV2", "MobileNetV3", "MNASNet"]
} else := 0.0

scores contains ["mobile-family", score_mobile_family, 2.0] if {
	input.need.deploy == "cpu-server"
}

score_well_understood := 1.0 if {
	input.net.maturity == "ubiquitous"
} else := 0.5 if {
	input.net.maturity == "established"
} else := 0.0

scores contains ["well-understood", score_well_understood, 2.0]

score_weights_published := 1.0 if {
	input.net.pretrained == true
} else := 0.0

scores contains ["weights-published", score_weights_published, 2.0] if {
	input.need.train_images < 100000
}

score_fewer_than_5m_parameters := 1.0 if {
	input.net.params < 5000000
} else := 0.3

scores contains ["fewer-than-5m-parameters", score_fewer_than_5m_parameters, 1.0] if {
	input.need.priority == "balanced"
}

score_fewer_than_10m_parameters := 1.0 if {
	input.net.params < 10000000
} else := 0.3

scores contains ["fewer-than-10m-parameters", score_fewer_than_10m_parameters, 0.8] if {
	input.need.priority == "balanced"
}

score_fewer_than_20m_parameters := 1.0 if {
	input.net.params < 20000000
} else := 0.3

scores contains ["fewer-than-20m-parameters", score_fewer_than_20m_parameters, 0.6] if {
	input.need.priority == "balanced"
}

score_fewer_than_40m_parameters := 1.0 if {
	input.net.params < 40000000
} else := 0.3

scores contains ["fewer-than-40m-parameters", score_fewer_than_40m_parameters, 0.4] if {
	input.need.priority == "balanced"
}

score_fewer_than_80m_parameters := 1.0 if {
	input.net.params < 80000000
} else := 0.3

scores contains ["fewer-than-80m-parameters", score_fewer_than_80m_parameters, 0.2] if {
	input.need.priority == "balanced"
}

score_faster_than_10ms := 1.0 if {
	input.net.latency.ms < 10.0
	input.net.latency.high_ms < 20.0
} else := 0.5 if {
	input.net.latency.ms < 20.0
} else := 0.0

scores contains ["faster-than-10ms", score_faster_than_10ms, 1.0] if {
	input.need.latency_ms > 0
}

score_faster_than_20ms := 1.0 if {
	input.net.latency.ms < 20.0
	input.net.latency.high_ms < 40.0
} else := 0.5 if {
	input.net.latency.ms < 40.0
} else := 0.0

scores contains ["faster-than-20ms", score_faster_than_20ms, 0.8] if {
	input.need.latency_ms > 0
}

score_faster_than_40ms := 1.0 if {
	input.net.latency.ms < 40.0
	input.net.latency.high_ms < 80.0
} else := 0.5 if {
	input.net.latency.ms < 80.0
} else := 0.0

scores contains ["faster-than-40ms", score_faster_than_40ms, 0.6] if {
	input.need.latency_ms > 0
}

score_faster_than_80ms := 1.0 if {
	input.net.latency.ms < 80.0
	input.net.latency.high_ms < 160.0
} else := 0.5 if {
	input.net.latency.ms < 160.0
} else := 0.0

scores contains ["faster-than-80ms", score_faster_than_80ms, 0.4] if {
	input.need.latency_ms > 0
}

score_faster_than_160ms := 1.0 if {
	input.net.latency.ms < 160.0
	input.net.latency.high_ms < 320.0
} else := 0.5 if {
	input.net.latency.ms < 320.0
} else := 0.0

scores contains ["faster-than-160ms", score_faster_than_160ms, 0.2] if {
	input.need.latency_ms > 0
}

score_more_than_70_percent := 1.0 if {
	input.net.accuracy.value > 70.0
} else := 0.2

scores contains ["more-than-70-percent", score_more_than_70_percent, 0.5] if {
	input.need.task == "classify"
}

score_more_than_75_percent := 1.0 if {
	input.net.accuracy.value > 75.0
} else := 0.2

scores contains ["more-than-75-percent", score_more_than_75_percent, 1.0] if {
	input.need.task == "classify"
}

score_more_than_80_percent := 1.0 if {
	input.net.accuracy.value > 80.0
} else := 0.2

scores contains ["more-than-80-percent", score_more_than_80_percent, 1.5] if {
	input.need.task == "classify"
}

score_accuracy_per_parameter := 1.0 if {
	input.net.accuracy.value * 1000000.0 > input.net.params * 6.0
} else := 0.0

scores contains ["accuracy-per-parameter", score_accuracy_per_parameter, 1.0]

score_small_weights := 1.0 if {
	input.net.size_bytes * 2 < input.need.max_size_bytes
} else := 0.5 if {
	input.net.size_bytes * 4 < input.need.max_size_bytes * 3
} else := 0.0

scores contains ["small-weights", score_small_weights, 1.0] if {
	input.need.max_size_bytes > 0
}

notes contains ["close-to-the-budget", "little slack"] if {
	input.need.latency_ms > 0
	input.net.latency.high_ms > input.need.latency_ms * 0.9
}

notes contains ["large-network", "large network"] if {
	input.net.params > 80000000
}

notes contains ["mostly-depthwise", "mostly depthwise"] if {
	input.net.depthwise_share > 0.5
}

notes contains ["accuracy-of-few-classes", "accuracy is of a thousand classes"] if {
	input.need.classes < 100
	input.net.accuracy.value > 0.0
}

weights := sum([s[2] | some s in scores])

preference := sum([points | some s in scores; points := s[1] * s[2]]) / weights

answer := {"failed": failed, "preference": preference, "notes": notes}
