using Concertina.Gateway.Http;

namespace Concertina.Gateway.Generations;

/// <summary>What happened next in a generation.</summary>
/// <param name="Kind">Which of the members below say something.</param>
/// <param name="Text">New text, ready to be shown; may be empty.</param>
/// <param name="Ending">How it ended.</param>
/// <param name="Error">Why it failed.</param>
internal readonly record struct GenerationStep(StepKind Kind, string Text = "", Ending? Ending = null, ApiError? Error = null)
{
    public static GenerationStep Failed(ApiError error) => new(StepKind.Failed, Error: error);
}
