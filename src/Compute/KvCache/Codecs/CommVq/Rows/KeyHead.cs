namespace Concertina.Compute.KvCache.Codecs.CommVq.Rows;

/// <summary>What the kernels need to decode keys of one head; the tables live as long as the codec.</summary>
internal unsafe struct KeyHead
{
    /// <summary>Z, [stages, levels, width] split rows.</summary>
    public float* First;

    /// <summary>Y of the same shape; Z again when tied.</summary>
    public float* Second;

    /// <summary>Split row.</summary>
    public float* Mean;

    /// <summary>cis of the positions 0, 64, 128, ...: rows of cosines and sines.</summary>
    public float* Pages;

    /// <summary>cis of the positions 0 to 63.</summary>
    public float* Slots;

    /// <summary>Norm of every scale byte.</summary>
    public float* Scales;

    /// <summary>Floats of a row.</summary>
    public int Width;

    public int Levels;

    public int Stages;
}
