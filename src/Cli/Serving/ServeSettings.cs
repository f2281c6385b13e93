namespace Concertina.Cli.Serving;

/// <summary>What <c>concertina serve</c> was told on the command line; null: not told.</summary>
internal sealed record ServeSettings
{
    public string? Model { get; init; }

    public string? Name { get; init; }

    public string? KvBudget { get; init; }

    public string? Listen { get; init; }

    public int? Threads { get; init; }

    public string? Config { get; init; }
}
