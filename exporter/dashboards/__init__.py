"""The Grafana dashboards, written with Grafana's foundation SDK and emitted as JSON; needs the extra `dashboards`.

One module per dashboard says what is shown. `promql` builds the expressions, `panels` the panels, `board` the frame
around them with variables, links and annotations. The exporter itself never imports this package.
"""
