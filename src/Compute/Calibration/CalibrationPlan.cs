namespace Concertina.Compute.Calibration;

/// <summary>What a calibration does.</summary>
public sealed record CalibrationPlan
{
    /// <summary>Seed of the training; with the same texts and seed the profile's trained data is the same.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Tokens whose keys and values are trained on.</summary>
    public int TrainingTokens { get; init; } = 16_384;

    /// <summary>Tokens of cache that the codebooks are to serve: larger books pay for more tokens. Default: eight sessions of 8,192.</summary>
    public long ExpectedTokens { get; init; } = 65_536;

    /// <summary>Whether to train the codebooks of the arms too, to compare commvq2 with what it leaves out.</summary>
    public bool Arms { get; init; }

    /// <summary>Threads; 0: one per core.</summary>
    public int Threads { get; init; }

    /// <summary>Folder for what is finished, so that a stopped run goes on.</summary>
    public required string WorkFolder { get; init; }

    /// <summary>Threads that are meant.</summary>
    internal int ThreadCount => Threads == 0 ? Environment.ProcessorCount : Threads;
}
