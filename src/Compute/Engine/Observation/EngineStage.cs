namespace Concertina.Compute.Engine;

/// <summary>What the engine's thread is doing.</summary>
internal enum EngineStage
{
    Parked,
    Commands,
    Admit,
    Schedule,
    Forward,
    Sample,
    Deliver,
    Publish,
    Settle,
    Squeeze,
}
