namespace Concertina.Compute.Engine;

/// <summary>Where the engine's thread is, for the watchdog: written by that thread, read by any.</summary>
internal sealed class StageMark
{
    private const int StageBits = 8;
    private long _count;
    private long _mark;

    /// <summary>Changes with every stage entered; the lowest byte is the stage.</summary>
    public long Value => Volatile.Read(ref _mark);

    public EngineStage Stage => StageOf(Value);

    public static EngineStage StageOf(long mark) => (EngineStage)(mark & ((1 << StageBits) - 1));

    public void Enter(EngineStage stage) => Volatile.Write(ref _mark, (++_count << StageBits) | (long)stage);
}
