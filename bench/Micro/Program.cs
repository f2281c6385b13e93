using Concertina.Micro;

string what = args.Length > 0 ? args[0] : "attention";
switch (what)
{
    case "attention":
        AttentionBench.Run(Console.Out);
        return 0;
    default:
        Console.Error.WriteLine($"Unknown benchmark '{what}'. Known: attention.");
        return 1;
}
