namespace Concertina.Compute.Tests.Model;

/// <summary>Tests that run one after the other when all others have ended.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class Alone
{
    public const string Name = "alone";
}
