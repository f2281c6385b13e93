using Concertina.Micro;

// Measurements of single kernels; the CLI's `bench` measures whole steps.
switch (args.FirstOrDefault() ?? "attention")
{
    case "attention":
        AttentionBench.Run(Console.Out);
        return 0;
    case "codecs":
        CodecBench.Run(Console.Out);
        return 0;
    case "roofline":
        Roofline.Run();
        return 0;
    case "products":
        Products.Run(threads: args.Length > 1 ? int.Parse(args[1], provider: null) : 1, only: args.ElementAtOrDefault(2));
        return 0;
    case "commvq-train" when args.Length == 4:
        CommVqBench.Train(Console.Out, int.Parse(args[1], provider: null), int.Parse(args[2], provider: null), int.Parse(args[3], provider: null));
        return 0;
    case "commvq-attend":
        CommVqAttendBench.Run(Console.Out);
        return 0;
    case "plan":
        PlanBench.Run(Console.Out, args.ElementAtOrDefault(1), args.ElementAtOrDefault(2));
        return 0;
    case "steps" when args.Length == 7:
        Steps.Run(args[1..]);
        return 0;
    default:
        Console.Error.WriteLine("""
            usage: Micro [attention]
                   Micro codecs
                   Micro roofline
                   Micro products [THREADS [FORMAT]]
                   Micro commvq-train HEADS TOKENS THREADS
                   Micro commvq-attend
                   Micro plan [JSON COMMIT]
                   Micro steps MODEL|SHAPE decode|prefill DEPTH BATCH TOKENS THREADS
            """);
        return 2;
}
