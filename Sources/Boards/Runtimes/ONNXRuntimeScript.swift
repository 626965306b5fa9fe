/// The other end of ``ONNXRuntime``.
enum ONNXRuntimeScript {
  /// Reads a request a line, answers with a line. Calls are timed here, around the run alone: no pipe is in the figures.
  static let text = #"""
    import json, os, signal, sys, time

    # Ctrl-C is for the program that started this one, which closes the pipe.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    channel = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what a library prints must not get between the answers
    try:
        import numpy
        import onnxruntime
        problem = None
    except Exception as error:
        problem = "%s: %s" % (type(error).__name__, error)

    models = {}

    def load(request):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = request["threads"]
        options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(request["path"], options, providers=["CPUExecutionProvider"])
        shape = (request["batch_size"], request["sequence_length"])
        random = numpy.random.default_rng(1)
        known = {
            "input_ids": random.integers(0, request["vocabulary_size"], shape, dtype=numpy.int64),
            "attention_mask": numpy.ones(shape, dtype=numpy.int64),
            "token_type_ids": numpy.zeros(shape, dtype=numpy.int64),
        }
        binding = session.io_binding()
        for value in session.get_inputs():
            binding.bind_cpu_input(value.name, known[value.name])
        for value in session.get_outputs():
            binding.bind_output(value.name, "cpu")
        session.run_with_iobinding(binding)
        models[request["handle"]] = (session, binding)
        return {"version": onnxruntime.__version__}

    def calls(request):
        session, binding = models[request["handle"]]
        clock, run, seconds = time.perf_counter, session.run_with_iobinding, []
        for _ in range(request["calls"]):
            start = clock()
            run(binding)
            seconds.append(clock() - start)
        return {"seconds": seconds}

    def release(request):
        models.pop(request["handle"], None)
        return {}

    actions = {"load": load, "calls": calls, "release": release}
    for line in sys.stdin:
        try:
            request = json.loads(line)
            if problem is not None:
                answer = {"error": problem}
            elif request["action"] == "hello":
                answer = {"version": onnxruntime.__version__}
            else:
                answer = actions[request["action"]](request)
        except Exception as error:
            text = str(error).strip().splitlines()
            answer = {"error": "%s: %s" % (type(error).__name__, text[0][:400] if text else "")}
        channel.write(json.dumps(answer) + "\n")
    """#
}
