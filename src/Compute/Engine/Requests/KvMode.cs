namespace Concertina.Compute.Engine;

/// <summary>What may happen to the KV cache of a request.</summary>
public enum KvMode
{
    /// <summary>16 bit while memory allows, down to the floor under pressure.</summary>
    Elastic,

    /// <summary>16 bit only: only exact columns may be reused and nothing may squeeze it.</summary>
    Lossless,

    /// <summary>On its floor from the start.</summary>
    Economy,
}
