using Orleans.Runtime;

namespace Concertina.Grains.Sessions;

/// <summary>Places a sequence on the silo that routing chose (the call's placement hint), else where there is a worker.</summary>
public sealed class SequencePlacement : PlacementStrategy;
