namespace Concertina.Compute.Store.Pages;

/// <summary>What a page file gave: all of its records, or none.</summary>
/// <param name="Records">Records in the order they were written; empty when anything is wrong.</param>
/// <param name="Fault">What was wrong, if anything.</param>
/// <param name="Detail">Values for the log; empty without a fault. Never token ids.</param>
internal readonly record struct PageFileContent(IReadOnlyList<byte[]> Records, SessionFileFault Fault, string Detail)
{
    /// <summary>Nothing, for a reason.</summary>
    public static PageFileContent Nothing(SessionFileFault fault, string detail = "") => new([], fault, detail);
}
