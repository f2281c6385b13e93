namespace Concertina.Compute.KvCache.Codecs.CommVq.Rows;

/// <summary>What the kernels need to decode values of one head; the tables live as long as the codec.</summary>
internal unsafe struct ValueHead
{
    /// <summary>C, [stages, levels, headDim].</summary>
    public float* Rows;

    public float* Mean;

    /// <summary>Norm of every scale byte.</summary>
    public float* Scales;

    public int HeadDim;

    public int Levels;

    public int Stages;
}
