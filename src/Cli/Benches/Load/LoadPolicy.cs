using System.Text.Json.Nodes;

namespace Concertina.Cli.Benches.Load;

/// <summary>How the server under load answers to memory pressure: as the product does, or as servers without rungs do.</summary>
/// <param name="Name">Name on the command line.</param>
/// <param name="Settings">Configuration of the server beyond its defaults.</param>
/// <param name="Why">What it stands for and how it was tuned.</param>
internal sealed record LoadPolicy(string Name, JsonObject Settings, string Why)
{
    /// <summary>The product.</summary>
    public static LoadPolicy Elastic { get; } = new("elastic", [], "the defaults of concertina serve");

    /// <summary>All policies.</summary>
    public static IReadOnlyList<LoadPolicy> All { get; } =
    [
        Elastic,
        new("refuse",
            WithoutRungs(queueWaitSeconds: 0.1),
            "the lossless rung alone and no page store; idle conversations make way, least recently used first, and what still does not fit is refused at once"),
        new("recompute",
            WithoutRungs(queueWaitSeconds: 600),
            "the lossless rung alone and no page store; idle conversations make way, least recently used first, and are computed anew on their next turn; what does "
            + "not fit waits, because answers are short and their length is known, so that admitting more and preempting could only lose work"),
    ];

    private static JsonObject WithoutRungs(double queueWaitSeconds) => new()
    {
        ["KvCache"] = new JsonObject { ["Rungs"] = "f16" },
        ["Engine"] = new JsonObject { ["QueueWaitSeconds"] = queueWaitSeconds },
        ["Store"] = new JsonObject { ["Sessions"] = "off" },
    };

    /// <summary>The policy of a name.</summary>
    /// <exception cref="CliException">There is none.</exception>
    public static LoadPolicy Of(string name) => All.FirstOrDefault(policy => policy.Name == name)
        ?? throw new CliException(ExitCode.Usage, $"--policy is '{name}'; known are {string.Join(", ", All.Select(policy => policy.Name))}.");
}
