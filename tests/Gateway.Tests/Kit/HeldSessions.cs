using Concertina.Contracts.Workers;

namespace Concertina.Gateway.Tests.Kit;

/// <summary>Sessions as a worker lists them.</summary>
internal static class HeldSessions
{
    /// <summary>One that runs.</summary>
    public static HeldSession Held(string key) => new()
    {
        SequenceKey = key,
        Running = true,
        Tokens = 640,
        Bytes = 1_000,
        LosslessBytes = 3_500,
        Exact = false,
        Rung = "int4",
        Target = "commvq2",
        Floor = "commvq2",
    };

    /// <summary>One of which nothing is in memory.</summary>
    public static HeldSession Resting(string key, long diskBytes) => new()
    {
        SequenceKey = key,
        Running = false,
        Tokens = 0,
        Bytes = 0,
        LosslessBytes = 0,
        Exact = false,
        Rung = "",
        Target = "",
        Floor = "",
        DiskBytes = diskBytes,
        Resting = true,
    };
}
