using Concertina.Tokenization.Jinja.Syntax;

namespace Concertina.Tokenization.Jinja;

/// <summary>The state of one rendering: what it may still use, and the clock.</summary>
internal sealed class Rendering(ChatTemplateOptions options, TimeProvider clock)
{
    private int _steps;
    private int _depth;
    private long _textUnits;

    public TimeProvider Clock { get; } = clock;

    /// <summary>Counts one evaluation.</summary>
    public void Step(Place place)
    {
        if (++_steps > options.MaxSteps)
        {
            throw place.Error($"stopped after {options.MaxSteps:N0} steps (ChatTemplateOptions.MaxSteps).");
        }
    }

    public void Enter(Place place)
    {
        if (++_depth > options.MaxDepth * 4)
        {
            throw place.Error($"nested deeper than {options.MaxDepth * 4} evaluations (4 x ChatTemplateOptions.MaxDepth).");
        }
    }

    public void Leave() => _depth--;

    /// <summary>Counts text before or after it is built.</summary>
    /// <exception cref="FormatException">Too much.</exception>
    public void Count(long textUnits)
    {
        _textUnits += textUnits;
        if (_textUnits > options.MaxTextUnits)
        {
            throw new FormatException($"built more than {options.MaxTextUnits:N0} characters of text (ChatTemplateOptions.MaxTextUnits)");
        }
    }

    /// <summary>Counts list items about to be made.</summary>
    /// <exception cref="FormatException">Too many.</exception>
    public void CountItems(long items)
    {
        if (items > options.MaxSteps - _steps)
        {
            throw new FormatException($"a list of {items:N0} items passes the {options.MaxSteps:N0} steps allowed (ChatTemplateOptions.MaxSteps)");
        }

        _steps += (int)items;
    }
}
